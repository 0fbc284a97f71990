package configs

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

type kind uint8

const (
	null kind = iota
	scalar
	list
	mapping
)

// node is a YAML value with nothing left to interpret but its text.
type node struct {
	kind   kind
	at     Position
	text   string // of a scalar, as written (escapes resolved)
	quoted bool   // the scalar is a string whatever it looks like
	items  []*node
	keys   []key
}

// key is one entry of a mapping.
type key struct {
	name  string
	at    Position
	value *node
}

// get returns the value of a key, nil if it is absent.
func (n *node) get(name string) (*key, bool) {
	for i := range n.keys {
		if n.keys[i].name == name {
			return &n.keys[i], true
		}
	}
	return nil, false
}

// parse reads the one document of a file. A nil node means that the text could
// not be read as YAML at all; otherwise the mistakes are local.
func parse(s *source) (root *node, ms Mistakes) {
	// The parser is known to panic on some malformed input.
	defer func() {
		if r := recover(); r != nil {
			root, ms = nil, Mistakes{{s.clamp(1, 1), fmt.Sprintf("not readable as YAML (%v)", r)}}
		}
	}()
	tokens, ms := tokenize(s)
	if ms != nil {
		return nil, ms
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Mistakes{syntaxMistake(s, err)}
	}
	t := &treeBuilder{source: s}
	root = t.document(file)
	return root, t.mistakes
}

func syntaxMistake(s *source, err error) Mistake {
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil && located.GetToken().Position != nil {
		p := located.GetToken().Position
		return Mistake{s.clamp(p.Line, p.Column), "bad syntax: " + located.GetMessage()}
	}
	return Mistake{s.clamp(1, 1), "bad syntax: " + err.Error()}
}

// treeBuilder turns the parser's syntax tree into nodes and collects what it
// refuses on the way.
type treeBuilder struct {
	*source
	mistakes Mistakes
}

func (t *treeBuilder) refuse(at Position, format string, args ...any) {
	t.mistakes = append(t.mistakes, Mistake{at, fmt.Sprintf(format, args...)})
}

func (t *treeBuilder) position(tk *token.Token) Position {
	if tk == nil || tk.Position == nil {
		return t.clamp(1, 1)
	}
	return t.clamp(tk.Position.Line, tk.Position.Column)
}

// document returns the first document that has something in it and refuses
// every further one.
func (t *treeBuilder) document(file *ast.File) *node {
	var root *node
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode:
		case *ast.DirectiveNode:
			t.refuse(t.position(body.GetToken()), "directives are not supported; remove the line")
		default:
			if root == nil {
				root = t.value(body, t.position(body.GetToken()))
			} else {
				t.refuse(t.position(firstToken(body)), "a second document; a file holds one")
			}
		}
	}
	if root == nil && len(t.mistakes) == 0 {
		t.refuse(t.clamp(1, 1), "the file is empty")
	}
	return root
}

// firstToken is where a value begins; a block mapping's own token is the colon
// behind its first key.
func firstToken(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

// value converts one syntax node; parent is the position for values that have
// no text of their own.
func (t *treeBuilder) value(n ast.Node, parent Position) *node {
	switch n := n.(type) {
	case *ast.MappingNode:
		return t.mapping(n.Values, t.position(firstToken(n)))
	case *ast.MappingValueNode:
		return t.mapping([]*ast.MappingValueNode{n}, t.position(n.Key.GetToken()))
	case *ast.SequenceNode:
		return t.list(n)
	case *ast.AnchorNode:
		t.refuse(t.position(n.GetToken()), "anchors are not supported; write the value out where it is used")
		return t.value(n.Value, parent)
	case *ast.AliasNode:
		t.refuse(t.position(n.GetToken()), "aliases are not supported; write the value out")
		return nil
	case *ast.TagNode:
		t.refuse(t.position(n.GetToken()), "tags are not supported; remove %s", excerpt(n.GetToken().Value))
		return t.value(n.Value, parent)
	case *ast.LiteralNode:
		return &node{kind: scalar, at: parent, text: n.Value.Value, quoted: true}
	case *ast.StringNode:
		return &node{kind: scalar, at: t.position(n.Token), text: n.Value, quoted: n.Token.Type != token.StringType}
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return &node{kind: null, at: parent}
	default:
		return &node{kind: scalar, at: t.position(n.GetToken()), text: n.GetToken().Value}
	}
}

func (t *treeBuilder) list(n *ast.SequenceNode) *node {
	out := &node{kind: list, at: t.position(n.Start), items: make([]*node, 0, len(n.Values))}
	for i, item := range n.Values {
		at := out.at
		if i < len(n.Entries) && n.Entries[i] != nil {
			at = t.position(n.Entries[i].Start)
		}
		out.items = append(out.items, t.value(item, at))
	}
	return out
}

func (t *treeBuilder) mapping(entries []*ast.MappingValueNode, at Position) *node {
	out := &node{kind: mapping, at: at, keys: make([]key, 0, len(entries))}
	first := make(map[string]Position, len(entries))
	for _, e := range entries {
		at := t.position(e.Key.GetToken())
		value := t.value(e.Value, at)
		switch e.Key.(type) {
		case *ast.MergeKeyNode:
			t.refuse(at, "merge keys are not supported; write the keys out")
			continue
		case *ast.MappingKeyNode, *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
			t.refuse(at, "a key must be a plain word")
			continue
		}
		name := e.Key.GetToken().Value
		if before, twice := first[name]; twice {
			t.refuse(at, "key %s is given twice; first in line %d", excerpt(name), before.Line)
			continue
		}
		first[name] = at
		out.keys = append(out.keys, key{name, at, value})
	}
	return out
}
