package configs

import (
	"fmt"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

const (
	maxDepth = 32    // mappings and lists inside one another
	maxWidth = 5000  // keys in one mapping
	maxFlow  = 10000 // commas inside one outermost pair of brackets
	maxEmpty = 1000  // keys and list items without a value: each is inserted, and moves all that follows
)

// tokenize scans the text and bounds its shape. The parser recurses into
// nesting and, in block style, once for each key of a mapping, copying as it
// goes: unbounded, a few MiB would overflow the stack, which nothing can
// recover from, or take minutes.
func tokenize(s *source) (token.Tokens, Mistakes) {
	tokens := lexer.Tokenize(string(s.text))
	var shape shape
	for _, t := range tokens {
		if problem := shape.add(t); problem != "" {
			return nil, Mistakes{{s.clamp(t.Position.Line, t.Position.Column), problem}}
		}
	}
	return tokens, nil
}

// shape follows a token stream's nesting without parsing it.
type shape struct {
	blocks []block // open block mappings and lists, by rising column
	flow   int     // open brackets
	marks  int     // run of anchors, tags and "?", each a level for the parser
	commas int     // inside the open brackets
	empty  int     // keys and items without a value
}

type block struct{ column, keys int }

// add takes the next token in and says what is too much, if anything is.
func (h *shape) add(t *token.Token) string {
	switch t.Type {
	case token.AnchorType, token.AliasType, token.TagType, token.MappingKeyType:
		h.marks++
	case token.MappingStartType, token.SequenceStartType:
		h.flow++
	case token.MappingEndType, token.SequenceEndType:
		if h.flow = max(0, h.flow-1); h.flow == 0 {
			h.commas = 0
		}
	case token.CollectEntryType:
		h.commas++
	case token.DocumentHeaderType, token.DocumentEndType:
		*h = shape{}
	case token.SequenceEntryType:
		h.enter(t.Position.Column)
		h.value(t, t.Position.Column)
	case token.MappingValueType:
		h.key(t)
	case token.StringType, token.SingleQuoteType, token.DoubleQuoteType, token.IntegerType:
		h.marks = 0
	}
	if len(h.blocks)+h.flow+h.marks > maxDepth {
		return fmt.Sprintf("nested deeper than %d levels", maxDepth)
	}
	if len(h.blocks) > 0 && h.blocks[len(h.blocks)-1].keys > maxWidth {
		return fmt.Sprintf("more than %d keys in one mapping", maxWidth)
	}
	if h.commas > maxFlow {
		return fmt.Sprintf("more than %d entries in brackets; write them one a line", maxFlow)
	}
	if h.empty > maxEmpty {
		return fmt.Sprintf("more than %d keys or items without a value", maxEmpty)
	}
	return ""
}

func (h *shape) key(colon *token.Token) {
	column := colon.Position.Column
	if colon.Prev != nil {
		column = colon.Prev.Position.Column
	}
	if h.flow == 0 {
		h.enter(column)
		h.blocks[len(h.blocks)-1].keys++
	}
	h.value(colon, column)
}

// value notes whether nothing follows a colon or dash that belongs to it. A
// list may stand in the column of its key.
func (h *shape) value(t *token.Token, column int) {
	next := t.Next
	if next == nil || next.Type == token.CollectEntryType {
		h.empty++
		return
	}
	list := t.Type == token.MappingValueType && next.Type == token.SequenceEntryType
	below := next.Position.Line > t.Position.Line
	if below && (next.Position.Column < column || next.Position.Column == column && !list) {
		h.empty++
	}
}

// enter closes the blocks that stand deeper than column and opens one there.
func (h *shape) enter(column int) {
	n := len(h.blocks)
	for n > 0 && h.blocks[n-1].column > column {
		n--
	}
	h.blocks = h.blocks[:n]
	if n == 0 || h.blocks[n-1].column < column {
		h.blocks = append(h.blocks, block{column: column})
	}
}
