// Junit runs `go test` on packages and writes what it found as a JUnit file:
//
//	go run ./tools/junit report.xml ./...
package main

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type suite struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Cases    []*testCase
}

type testCase struct {
	XMLName xml.Name  `xml:"testcase"`
	Class   string    `xml:"classname,attr"`
	Name    string    `xml:"name,attr"`
	Seconds float64   `xml:"time,attr"`
	Skipped *struct{} `xml:"skipped,omitempty"`
	Failure string    `xml:"failure,omitempty"`
	output  string
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: junit REPORT PACKAGE..")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "junit:", err)
		os.Exit(1)
	}
}

func run(report string, packages []string) error {
	test := exec.Command("go", append([]string{"test", "-json"}, packages...)...)
	test.Stderr = os.Stderr
	out, err := test.StdoutPipe()
	if err != nil {
		return err
	}
	if err := test.Start(); err != nil {
		return err
	}
	found := suite{Name: "go test"}
	running := map[string]*testCase{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var seen event
		if json.Unmarshal(lines.Bytes(), &seen) != nil {
			fmt.Println(lines.Text())
			continue
		}
		fmt.Print(seen.Output)
		if seen.Test != "" {
			found.add(running, seen)
		}
	}
	failed := test.Wait()
	text, err := xml.MarshalIndent(found, "", "  ")
	if err == nil {
		err = os.WriteFile(report, append(text, '\n'), 0o644)
	}
	if failed != nil {
		return failed
	}
	return err
}

func (s *suite) add(running map[string]*testCase, seen event) {
	key := seen.Package + " " + seen.Test
	test := running[key]
	if test == nil {
		test = &testCase{Class: seen.Package, Name: seen.Test}
		running[key] = test
	}
	test.output += seen.Output
	switch seen.Action {
	case "fail":
		s.Failures++
		test.Failure = test.output
	case "skip":
		test.Skipped = &struct{}{}
	case "pass":
	default:
		return
	}
	test.Seconds = seen.Elapsed
	s.Tests++
	s.Cases = append(s.Cases, test)
}
