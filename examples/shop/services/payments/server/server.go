// Package server answers HTTP requests and stops without losing one.
package server

import (
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const health = "/healthz"

// After a signal the server goes on until nobody asked for quietTime, but for its health.
const (
	quietTime = time.Second
	drainTime = 8 * time.Second
	idleTime  = 75 * time.Second
)

// Server is an HTTP server with a version and an access log.
type Server struct {
	handler http.Handler
	version string
	log     *Log

	mutex       sync.Mutex
	draining    bool
	inFlight    int
	lastRequest time.Time
}

// New returns a server that passes requests on to a handler.
func New(handler http.Handler, version string, log *Log) *Server {
	return &Server{handler: handler, version: version, log: log}
}

// Listen opens the port.
func Listen(address string) (net.Listener, error) {
	return net.Listen("tcp", address)
}

// ServeUntil serves until something comes from stop, then drains.
func (s *Server) ServeUntil(listener net.Listener, stop <-chan os.Signal) {
	server := &http.Server{Handler: s, ReadHeaderTimeout: idleTime, IdleTimeout: idleTime}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		s.log.Error("could not serve", "error", err.Error())
		return
	case <-stop:
	}
	s.log.Info("draining")
	s.drain()
	ended, cancel := context.WithTimeout(context.Background(), quietTime)
	defer cancel()
	if err := server.Shutdown(ended); err != nil {
		s.log.Error("requests were cut off", "error", err.Error())
	}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	if s.enter(r, start) {
		w.Header().Set("Connection", "close")
	}
	defer s.leave()
	w.Header().Set("X-Service-Version", s.version)
	recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
	s.handler.ServeHTTP(recorder, r)
	if r.URL.Path != health {
		ms := float64(time.Since(start).Microseconds()) / 1000
		s.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", recorder.status, "ms", ms)
	}
}

func (s *Server) enter(r *http.Request, now time.Time) (draining bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.inFlight++
	if r.URL.Path != health {
		s.lastRequest = now
	}
	return s.draining
}

func (s *Server) leave() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.inFlight--
}

// drain goes on answering, each time closing the connection, until all is quiet.
func (s *Server) drain() {
	start := time.Now()
	s.mutex.Lock()
	s.draining, s.lastRequest = true, start
	s.mutex.Unlock()
	for now := start; now.Sub(start) < drainTime; now = <-time.After(quietTime / 20) {
		s.mutex.Lock()
		quiet := s.inFlight == 0 && now.Sub(s.lastRequest) >= quietTime
		s.mutex.Unlock()
		if quiet {
			return
		}
	}
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
