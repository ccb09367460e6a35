package server

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// Log writes one JSON object per line.
type Log struct {
	mutex sync.Mutex
	out   *json.Encoder
}

// NewLog returns a log that writes to out.
func NewLog(out io.Writer) *Log {
	return &Log{out: json.NewEncoder(out)}
}

// Info writes a message with pairs of name and value.
func (l *Log) Info(message string, fields ...any) { l.write("info", message, fields) }

// Error writes what failed.
func (l *Log) Error(message string, fields ...any) { l.write("error", message, fields) }

func (l *Log) write(level, message string, fields []any) {
	line := map[string]any{
		"time":    time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		"level":   level,
		"message": message,
	}
	for i := 0; i+1 < len(fields); i += 2 {
		line[fields[i].(string)] = fields[i+1]
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	// A log that cannot be written has no place to say so.
	_ = l.out.Encode(line)
}
