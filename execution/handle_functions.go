package execution

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/internal/strict"
	"github.com/imadelakhaldev/coglex/service"
)

// HandleFunctions lists the functions: GET /functions.
func (s *Service) HandleFunctions(c echo.Context) (err error) {
	defer service.Edge(c, s.log(), &err, s.problems...)
	if _, err := strict.ParseQuery(c.Request().URL); err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, s.list)
}
