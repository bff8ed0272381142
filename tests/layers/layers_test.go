// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Package layers checks that every package imports only what its place in the
// data flow allows: the imports are read from the sources, the rules are below.
package layers

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/juicebus/juicebus/"

// rule says what the packages in one folder may import besides the standard
// library: packages of ours (without the module path; "/..." means any below),
// other modules, "C" and "unsafe". The longest matching folder decides.
type rule struct {
	folder string
	may    []string
}

var rules = []rule{
	{"core", []string{"core/internal/..."}},
	{"core/internal", nil},
	// float16 is what cbor itself reads half floats with.
	{"core/internal/codec", []string{"github.com/fxamacker/cbor/v2", "github.com/x448/float16"}},
	{"core/internal/socket", []string{
		"core/internal/...", "github.com/pebbe/zmq4", "C", "unsafe",
	}},
	{"capi", []string{"core", "C", "unsafe"}},
	{"cmd/proxy", []string{"core"}},
}

func TestEveryPackageImportsOnlyWhatItsLayerMay(t *testing.T) {
	root := filepath.Join("..", "..")
	checked := map[string]bool{}
	for _, top := range []string{"core", "capi", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			check(t, root, name, checked)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"core", "capi", "cmd/proxy", "core/internal/socket"} {
		if !checked[folder] {
			t.Errorf("%s: no Go file there, so nothing was checked", folder)
		}
	}
}

func check(t *testing.T, root, name string, checked map[string]bool) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.ToSlash(filepath.Dir(name))
	checked[folder] = true
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if !allowed(folder, path) {
			t.Errorf("%s imports %s, which its layer may not", name, path)
		}
	}
}

func allowed(folder, path string) bool {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") && path != "C" && path != "unsafe" {
		return true
	}
	path = strings.TrimPrefix(path, module)
	return slices.ContainsFunc(ruleFor(folder).may, func(may string) bool {
		parent, wild := strings.CutSuffix(may, "...")
		return may == path || wild && strings.HasPrefix(path, parent)
	})
}

func ruleFor(folder string) rule {
	var best rule
	for _, r := range rules {
		if (folder == r.folder || strings.HasPrefix(folder, r.folder+"/")) && len(r.folder) > len(best.folder) {
			best = r
		}
	}
	return best
}

func TestRulesForbidWhatTheyShould(t *testing.T) {
	for _, forbidden := range [][2]string{
		{"core", "C"},
		{"core", "unsafe"},
		{"core", "github.com/pebbe/zmq4"},
		{"core/internal/key", module + "core/internal/codec"},
		{"core/internal/codec", module + "core/internal/key"},
		{"core/internal/codec", "C"},
		{"core/internal/socket", "github.com/fxamacker/cbor/v2"},
		{"capi", "github.com/pebbe/zmq4"},
		{"capi", "github.com/fxamacker/cbor/v2"},
		{"capi", module + "core/internal/socket"},
		{"cmd/proxy", "C"},
		{"cmd/proxy", module + "core/internal/socket"},
	} {
		if allowed(forbidden[0], forbidden[1]) {
			t.Errorf("%s may import %s", forbidden[0], forbidden[1])
		}
	}
}
