package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// request makes one request on a connection of its own and wants a 2xx.
func request(ctx context.Context, method, target string, login bool) error {
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return err
	}
	req.Close = true // leave no idle connection behind
	if login {
		req.SetBasicAuth(InfluxUser, InfluxPassword)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", method, resp.Status, body)
	}
	return nil
}
