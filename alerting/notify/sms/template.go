package sms

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/template"
	"unicode/utf16"

	"golang.org/x/net/http/httpguts"
)

// fields is what templates see.
type fields struct {
	To, Text, ID, Secret string
	SevenBits            bool
}

// sample is awkward on purpose: what it breaks is missing an escape.
var sample = fields{To: "+963 944&1", Text: "سطر \"أول\"\n{100%} \\ & <a> #?", ID: "1-1", Secret: `a"b &c`}

var functions = template.FuncMap{
	"query":  url.QueryEscape,
	"path":   url.PathEscape,
	"digits": digits,
	"json": func(text string) (string, error) {
		raw, err := json.Marshal(text)
		return string(raw), err
	},
	"ucs2": func(text string) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune(text)) {
			fmt.Fprintf(&b, "%04X", unit)
		}
		return b.String()
	},
}

func digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// templates are the parts of a request.
type templates struct {
	url, body *template.Template
	headers   map[string]*template.Template
}

// compile parses the templates and tries them on a sample. Errors begin with the key; all are reported.
func (c Config) compile() (*templates, error) {
	t := &templates{headers: make(map[string]*template.Template, len(c.Headers))}
	var errs []error
	parse := func(key, text string) *template.Template {
		parsed, err := template.New(key).Funcs(functions).Option("missingkey=error").Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
		return parsed
	}
	t.url, t.body = parse("url", c.URL), parse("body", c.Body)
	for name, value := range c.Headers {
		if !httpguts.ValidHeaderFieldName(name) {
			errs = append(errs, fmt.Errorf("headers.%s: not a header's name", name))
		}
		t.headers[name] = parse("headers."+name, value)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, t.try(strings.Contains(c.ContentType, "json") && c.Body != "")
}

// try makes a request out of the sample.
func (t *templates) try(wantJSON bool) error {
	address, err := run(t.url, sample)
	if err == nil {
		err = checkURL(address)
	}
	body, bodyErr := run(t.body, sample)
	if bodyErr == nil && wantJSON && !json.Valid([]byte(body)) {
		bodyErr = errors.New("body: not JSON once filled in; write values as {{json .Text}}, without quotes around them")
	}
	plain := sample // the secret of a header is the operator's; the text has no place there
	plain.Secret = "secret"
	_, headerErr := t.header(plain)
	return errors.Join(err, bodyErr, headerErr)
}

func checkURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return errors.New("url: missing; give the gateway's address")
	case err != nil || strings.ContainsAny(address, " \"<>"):
		return errors.New("url: no address once filled in; write values as {{query .Text}}")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("url: give an address that begins with http:// or https:// and a host")
	}
	return nil
}

// header fills in the headers.
func (t *templates) header(f fields) (http.Header, error) {
	header := make(http.Header, len(t.headers))
	for name, value := range t.headers {
		text, err := run(value, f)
		if err != nil {
			return nil, err
		}
		if !httpguts.ValidHeaderFieldValue(text) {
			return nil, fmt.Errorf("headers.%s: not one line of text once filled in", name)
		}
		header.Set(name, text)
	}
	return header, nil
}

// run fills in one template. An error names its key.
func run(t *template.Template, f fields) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, f); err != nil {
		return "", fmt.Errorf("%s: %w", t.Name(), errors.Unwrap(err))
	}
	return b.String(), nil
}
