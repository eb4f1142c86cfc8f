package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	crashes     = 20  // how often the archive is killed
	crashOps    = 200 // how many uploads and deletes there are at least
	crashAtOnce = 4   // clients
)

// crashed is what a test knows of an archive that is killed again and again.
type crashed struct {
	mu      sync.Mutex
	random  *rand.Rand
	hashes  map[string]string // of every file that was sent, by its name
	kept    map[string]string // ids by name: acknowledged and not deleted
	unsure  map[string]bool   // names of files whose request was cut
	deleted map[string]bool   // names: acknowledged
	checked map[string]bool   // names of files whose bytes were compared
	done    int               // acknowledged uploads and deletes
}

// TestArchiveKilled kills an archive at random instants, and looks after each
// restart whether every file is whole or absent, as its client was told.
func TestArchiveKilled(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := &crashed{
		random: rand.New(rand.NewPCG(seed, 0)),
		hashes: map[string]string{}, kept: map[string]string{}, unsure: map[string]bool{}, deleted: map[string]bool{}, checked: map[string]bool{},
	}
	db, folder := startDatabase(t), filepath.Join(t.TempDir(), "uploads")
	leftovers := 0
	for round := 0; round <= crashes || c.done < crashOps; round++ {
		g, report := startArchive(t, db, folder)
		leftovers += report.Deleted + report.Partial
		if report.Missing > 0 {
			t.Errorf("round %d: %d records without bytes", round, report.Missing)
		}
		c.compare(t, g, folder)
		if t.Failed() {
			t.Fatalf("round %d of seed %d", round, seed)
		}
		c.work(g)
	}
	g, report := startArchive(t, db, folder)
	leftovers += report.Deleted + report.Partial
	clear(c.checked) // once more, all of them
	c.compare(t, g, folder)
	t.Logf("%d operations, %d files left, %d leftovers swept", c.done, len(c.kept), leftovers)
	if leftovers == 0 {
		t.Error("no kill came at an instant that leaves anything: this test tests nothing")
	}
}

// work lets clients work until the archive is killed under them.
func (c *crashed) work(g *gateway) {
	instant := time.Duration(c.random.IntN(300)) * time.Millisecond
	killer := time.AfterFunc(instant, func() { _ = g.cmd.Process.Kill() })
	defer killer.Stop()
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	var clients sync.WaitGroup
	for range crashAtOnce {
		clients.Go(func() {
			for c.step(g, client) == nil {
			}
		})
	}
	clients.Wait()
	<-g.done
}

// step uploads or deletes a file, and notes what is known of it then.
func (c *crashed) step(g *gateway, client *http.Client) error {
	c.mu.Lock()
	deletes := c.random.IntN(3) == 0
	c.mu.Unlock()
	if name, id, ok := c.pick(); deletes && ok {
		return c.delete(g, client, name, id)
	} else if ok {
		c.keep(name, id)
	}
	return c.upload(g, client)
}

// pick takes one of the files, so that nobody else deletes it.
func (c *crashed) pick() (name, id string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, id := range c.kept {
		delete(c.kept, name)
		return name, id, true
	}
	return "", "", false
}

func (c *crashed) keep(name, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[name] = id
}

func (c *crashed) upload(g *gateway, client *http.Client) error {
	c.mu.Lock()
	content := make([]byte, c.random.IntN(3<<20))
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(c.random.Uint32())
	}
	c.mu.Unlock()
	_, _ = rand.NewChaCha8(seed).Read(content)
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(seed[:8])

	c.mu.Lock()
	c.hashes[name], c.unsure[name] = hex.EncodeToString(sum[:]), true
	c.mu.Unlock()
	file, status, err := g.upload(client, name, content)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		return err
	}
	if status != http.StatusCreated {
		return fmt.Errorf("the upload was answered %d", status)
	}
	delete(c.unsure, name)
	c.kept[name] = file.ID
	c.done++
	return nil
}

func (c *crashed) delete(g *gateway, client *http.Client, name, id string) error {
	c.mu.Lock()
	c.unsure[name] = true
	c.mu.Unlock()
	a, err := g.try(client, http.MethodDelete, archivePath+id, "", "X-API-Key: "+secret)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("the delete was answered %d", a.status)
	}
	delete(c.unsure, name)
	c.deleted[name] = true
	c.done++
	return nil
}

// compare checks the archive against what its clients were told, and takes what
// nobody was told as it is from then on.
func (c *crashed) compare(t *testing.T, g *gateway, folder string) {
	t.Helper()
	files := g.files(t)
	found := map[string]string{}
	for _, file := range files {
		found[file.Name] = file.ID
		id, kept := c.kept[file.Name]
		switch {
		case c.deleted[file.Name]:
			t.Errorf("%s is there, and its client was told that it is deleted", file.Name)
		case kept && id != file.ID, !kept && !c.unsure[file.Name]:
			t.Errorf("%s is there, and nobody has sent it", file.Name)
		}
		if !c.checked[file.Name] {
			c.whole(t, g, file)
			c.checked[file.Name] = true
		}
	}
	for name := range c.kept {
		if found[name] == "" {
			t.Errorf("%s is lost, and its client was told that it is kept", name)
		}
	}
	if whole, partial := onDisk(t, folder); whole != len(files) || partial != 0 {
		t.Errorf("on disk there are %d whole and %d unfinished files, and %d records", whole, partial, len(files))
	}
	c.kept, c.unsure = found, map[string]bool{}
}

// whole checks the bytes of a file.
func (c *crashed) whole(t *testing.T, g *gateway, file fileRecord) {
	t.Helper()
	a := g.call(t, http.MethodGet, archivePath+file.ID, "", "X-API-Key: "+secret)
	sum := sha256.Sum256(a.body)
	got := hex.EncodeToString(sum[:])
	if a.status != http.StatusOK || int64(len(a.body)) != file.Size || got != file.SHA256 || got != c.hashes[file.Name] {
		t.Errorf("%s is %d bytes with hash %s (status %d), its record says %d and %s, its client sent %s",
			file.Name, len(a.body), got, a.status, file.Size, file.SHA256, c.hashes[file.Name])
	}
}

// A limit of the operating system on the size of files is a full disk that
// needs no rights to make: the kernel refuses a write, after part of it.
func TestArchiveOnAFullDisk(t *testing.T) {
	t.Parallel()
	db, folder := startDatabase(t), filepath.Join(t.TempDir(), "uploads")
	g, _ := startArchive(t, db, folder, "sh", "-c", `ulimit -f 4096 && exec "$0"`) // 2 MiB
	for _, size := range []int{2<<20 + 1, 3 << 20, 15 << 20} {
		if _, status, err := g.upload(http.DefaultClient, "large", make([]byte, size)); status != http.StatusInsufficientStorage {
			t.Errorf("%d bytes: status %d, %v, want 507", size, status, err)
		}
	}
	if whole, partial := onDisk(t, folder); whole+partial != 0 {
		t.Errorf("left on disk: %d whole and %d unfinished files", whole, partial)
	}
	if files := g.files(t); len(files) != 0 {
		t.Errorf("left in the database: %v", files)
	}
	if _, status, err := g.upload(http.DefaultClient, "small", make([]byte, 2<<20)); status != http.StatusCreated {
		t.Errorf("what fits: status %d, %v, want 201", status, err)
	}
}
