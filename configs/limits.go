package configs

import (
	"fmt"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

const (
	maxDepth = 32   // mappings and lists inside one another
	maxWidth = 5000 // keys in one mapping
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
	keys   int     // keys inside the open brackets
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
		h.flow = max(0, h.flow-1)
	case token.DocumentHeaderType, token.DocumentEndType:
		*h = shape{}
	case token.SequenceEntryType:
		h.enter(t.Position.Column)
	case token.MappingValueType:
		h.key(t)
	case token.StringType, token.SingleQuoteType, token.DoubleQuoteType, token.IntegerType:
		h.marks = 0
	}
	if len(h.blocks)+h.flow+h.marks > maxDepth {
		return fmt.Sprintf("nested deeper than %d levels", maxDepth)
	}
	if len(h.blocks) > 0 && h.blocks[len(h.blocks)-1].keys > maxWidth || h.keys > maxWidth*maxDepth {
		return fmt.Sprintf("more than %d keys in one mapping", maxWidth)
	}
	return ""
}

func (h *shape) key(colon *token.Token) {
	if h.flow > 0 {
		h.keys++
		return
	}
	h.keys = 0
	column := colon.Position.Column
	if colon.Prev != nil {
		column = colon.Prev.Position.Column
	}
	h.enter(column)
	h.blocks[len(h.blocks)-1].keys++
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
