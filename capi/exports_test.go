// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryExportRecovers: the first thing that each export does is to defer guard, so
// that no panic passes into C.
func TestEveryExportRecovers(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	files := token.NewFileSet()
	exports := 0
	for _, path := range paths {
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || !isExport(function) {
				continue
			}
			exports++
			var first strings.Builder
			require.NoError(t, printer.Fprint(&first, files, function.Body.List[0]))
			assert.Equal(t, "defer guard(&result)", first.String(), function.Name.Name)
		}
	}
	assert.Greater(t, exports, 25)
}

func isExport(function *ast.FuncDecl) bool {
	if function.Doc == nil {
		return false
	}
	for _, comment := range function.Doc.List {
		if comment.Text == "//export "+function.Name.Name {
			return true
		}
	}
	return false
}
