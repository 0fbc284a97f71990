package rule

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// Bounds of an expression. Without loops, which are switched off, they bound
// the time of an evaluation too.
const (
	maxExpression = 1000 // bytes
	maxNodes      = 200
)

// allowed are the functions that expressions may call; the rest of the
// language's library can loop, build lists or read the clock.
var allowed = []string{"abs", "ceil", "floor", "round", "min", "max", "lower", "upper"}

// program is a custom rule's expressions, compiled.
type program struct {
	when, clear *vm.Program // clear is nil if there is none
	operands    []operand   // the numbers that either uses
}

// operand is a number that must be known.
type operand struct {
	name string
	path []int // in the environment's struct
}

// customRule is a custom rule with the objects that it is for.
type customRule struct {
	Custom
	program
	class   class
	objects []int32
	setting setting
}

// compile type-checks both expressions against the fields of for_each.
func (c *Custom) compile(path string) (program, error) {
	if c.ForEach == "" {
		return program{}, fmt.Errorf("%s.for_each: missing; use %s", path, either(forEachWords()))
	}
	cl, ok := classOf[c.ForEach]
	if !ok {
		return program{}, fmt.Errorf("%s.for_each: there is no object %q%s", path, c.ForEach, meant(string(c.ForEach), forEachWords()))
	}
	if c.When == "" {
		return program{}, fmt.Errorf("%s.when: missing", path)
	}
	env := environments[cl]()
	var used []string
	when, errWhen := compileOne(path+".when", c.When, env, &used)
	var clear *vm.Program
	var errClear error
	if c.Clear != "" {
		clear, errClear = compileOne(path+".clear", c.Clear, env, &used)
	}
	if err := errors.Join(errWhen, errClear); err != nil {
		return program{}, err
	}
	return program{when, clear, operandsOf(reflect.TypeOf(env).Elem(), used)}, nil
}

func compileOne(path, source string, env any, used *[]string) (*vm.Program, error) {
	if len(source) > maxExpression {
		return nil, fmt.Errorf("%s: %d bytes long; use at most %d", path, len(source), maxExpression)
	}
	seen := &reader{source: file.NewSource(source)}
	options := []expr.Option{expr.Env(env), expr.AsBool(), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.Patch(seen)}
	for _, name := range allowed {
		options = append(options, expr.EnableBuiltin(name))
	}
	compiled, err := expr.Compile(source, options...)
	if err == nil && seen.refused != nil {
		err = seen.refused
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, explain(err, reflect.TypeOf(env).Elem()))
	}
	*used = append(*used, seen.names...)
	return compiled, nil
}

// reader notes what an expression names, and the first thing that is not for
// rules because it can loop.
type reader struct {
	source  file.Source
	names   []string
	refused error
}

// Visit implements ast.Visitor.
func (r *reader) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		r.names = append(r.names, n.Value)
	case *ast.BinaryNode:
		if n.Operator == ".." {
			r.refuse(n, "lists are not for rules")
		}
	case *ast.ArrayNode, *ast.MapNode:
		r.refuse(n, "lists are not for rules")
	case *ast.BuiltinNode:
		if !slices.Contains(allowed, n.Name) {
			r.refuse(n, "there is no function "+n.Name+meant(n.Name, allowed))
		}
	}
}

func (r *reader) refuse(at ast.Node, message string) {
	if r.refused == nil {
		r.refused = (&file.Error{Location: at.Location(), Message: message}).Bind(r.source)
	}
}

// explain puts the place first, line:column within the expression.
func explain(err error, fields reflect.Type) string {
	at, message := "1:1", err.Error()
	var where *file.Error
	if errors.As(err, &where) {
		at, message = fmt.Sprintf("%d:%d", max(where.Line, 1), where.Column+1), where.Message
	}
	if name, ok := strings.CutPrefix(message, "unknown name "); ok {
		message += meant(name, fieldNames(fields))
	}
	return at + " " + strings.ReplaceAll(message, "\n", " ")
}

func operandsOf(fields reflect.Type, used []string) []operand {
	var out []operand
	for _, f := range reflect.VisibleFields(fields) {
		name := f.Tag.Get("expr")
		if f.Type.Kind() == reflect.Float64 && slices.Contains(used, name) {
			out = append(out, operand{name, f.Index})
		}
	}
	return out
}

// addCustom joins a custom rule with the registry.
func (s *Set) addCustom(c *Custom, path string, errs *mistakes) {
	sc, ok := s.scope(c.At)
	if !ok {
		errs.add(path+".at", "there is no city, zone, object or meter %q%s", c.At, meant(c.At, s.net.ids()))
		return
	}
	compiled, err := c.compile(path)
	if err != nil {
		return // check has said so
	}
	severity, _ := ParseSeverity(c.Severity)
	r := customRule{
		Custom: *c, program: compiled, class: classOf[c.ForEach],
		setting: setting{enabled: true, severity: severity, onDelay: c.OnDelay, offDelay: c.OffDelay},
	}
	for i := range s.net.count(r.class) {
		if sc.depth == everywhere || slices.Contains(s.net.above(r.class, int32(i)), sc.at) {
			r.objects = append(r.objects, int32(i))
		}
	}
	if len(r.objects) == 0 && sc.depth != everywhere {
		errs.add(path+".at", "%q holds no %s", c.At, strings.ReplaceAll(string(c.ForEach), "_", " "))
	}
	s.custom = append(s.custom, r)
}

func (e *evaluation) judgeCustom() {
	for i := range e.custom {
		rule := &e.custom[i]
		env := environments[rule.class]()
		fields := reflect.ValueOf(env).Elem()
		for _, object := range rule.objects {
			r := ref{rule.class, object}
			env.fill(e, r)
			state := rule.judge(env, fields)
			if state == Clear {
				continue
			}
			f := e.add(outage, r, &rule.setting, state)
			f.Kind = rule.ID
			if state != Raised {
				continue
			}
			f.word("text_en", rule.Text.En)
			f.word("text_ar", rule.Text.Ar)
			for _, o := range rule.operands {
				f.number(o.name, fields.FieldByIndex(o.path).Float())
			}
		}
	}
}

// judge runs the expressions. An operand that is not known, and an expression
// that fails, make the object unknown.
func (r *customRule) judge(env environment, fields reflect.Value) State {
	for _, o := range r.operands {
		if math.IsNaN(fields.FieldByIndex(o.path).Float()) {
			return Unknown
		}
	}
	raised, err := holds(r.when, env)
	if err != nil {
		return Unknown
	}
	if raised {
		return Raised
	}
	if r.clear == nil {
		return Clear
	}
	over, err := holds(r.clear, env)
	switch {
	case err != nil:
		return Unknown
	case over:
		return Clear
	}
	return Held
}

func holds(p *vm.Program, env environment) (bool, error) {
	out, err := vm.Run(p, env)
	if err != nil {
		return false, fmt.Errorf("evaluate: %w", err)
	}
	return out == true, nil
}
