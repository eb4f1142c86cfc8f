package archive

import (
	"errors"
	"os"
	"syscall"
)

// Codes of winerror.h that package syscall does not name.
const (
	errorHandleDiskFull    = syscall.Errno(39)
	errorDiskFull          = syscall.Errno(112)
	errorDiskQuotaExceeded = syscall.Errno(1295)
)

// fullDisk reports whether the file system or a quota ends what may be written.
func fullDisk(err error) bool {
	return errors.Is(err, errorHandleDiskFull) || errors.Is(err, errorDiskFull) || errors.Is(err, errorDiskQuotaExceeded)
}

// syncFolder does nothing: Windows has no such call, and NTFS journals names.
func syncFolder(*os.Root, string) error { return nil }
