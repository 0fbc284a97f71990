package message_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/imdad-telemetry/imdad/alerting/message"
)

// layout is what Chromium made of a page.
type layout struct {
	Dir, Lang, Direction string
	// Overflow is how many pixels the content is wider than the window.
	Overflow float64
	Sheet    box  // the page's content
	Button   *box // nil: there is none
	Labels   []box
	Texts    []box
	Loaded   int // things fetched besides the page
	Heads    []string
	Align    string
	Weak     []string // texts whose contrast is below 4.5
}

// box is where an element is, in CSS pixels.
type box struct{ Left, Right, Top, Bottom float64 }

// measure asks the page for a layout.
const measure = `(() => {
  const box = e => { const r = e.getBoundingClientRect(); return {Left: r.left, Right: r.right, Top: r.top, Bottom: r.bottom}; };
  const light = c => { const v = c.match(/[\d.]+/g).slice(0, 3).map(x => x / 255).map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } return 'rgb(255,255,255)'; };
  const contrast = e => { const a = light(getComputedStyle(e).color), b = light(ground(e)); return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
  const rows = [...document.querySelectorAll('td table tr')];
  const button = document.querySelector('a.acknowledge');
  const texts = [...document.querySelectorAll('td, h1, h2, a, p, .badge')].filter(e => e.innerText && !e.querySelector('td'));
  return {
    Dir: document.documentElement.dir, Lang: document.documentElement.lang,
    Direction: getComputedStyle(document.querySelector('h1')).direction,
    Overflow: document.documentElement.scrollWidth - window.innerWidth,
    Sheet: box(document.querySelector('table')),
    Button: button && box(button),
    Labels: rows.map(r => box(r.children[0])), Texts: rows.map(r => box(r.children[1])),
    Loaded: performance.getEntriesByType('resource').filter(r => !r.name.endsWith('/favicon.ico')).length,
    Heads: [...document.querySelectorAll('h1, h2')].map(e => e.innerText),
    Align: getComputedStyle(document.querySelector('h1')).textAlign,
    Weak: texts.filter(e => contrast(e) < 4.5).map(e => e.innerText),
  };
})()`

// TestArabicMailInChromium lays out Arabic pages as a telephone and a desktop
// show them. With IMDAD_SCREENSHOTS set to a folder, it leaves pictures there.
func TestArabicMailInChromium(t *testing.T) {
	r := renderer(t)
	pages := map[string]message.Text{}
	for name, c := range notices(t) {
		c.AckURL = "https://imdad.example/ack?signature=8f3a"
		for _, l := range message.Languages {
			pages["/"+name+"."+string(l)] = render(t, r, c, l)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(pages[req.URL.Path].HTML)) // the browser says if it went wrong
	}))
	defer server.Close()

	browser := chromium(t)
	for _, name := range []string{"alarm", "digest", "escalation", "group", "upcoming-two", "returned", "custom-ar"} {
		for _, l := range message.Languages {
			for _, width := range []int64{360, 800} {
				path := "/" + name + "." + string(l)
				got := lay(browser, t, server.URL+path, width)
				checkLayout(t, path, l, float64(width), got)
			}
		}
	}
}

// chromium starts a browser that ends with the test.
func chromium(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox) // tests may run as root
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, quit := chromedp.NewContext(allocator)
	t.Cleanup(quit)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	ctx, cancel := context.WithTimeout(browser, 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func lay(ctx context.Context, t *testing.T, url string, width int64) layout {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 1400), chromedp.Navigate(url)); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[layout](measure))
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	if dir := os.Getenv("IMDAD_SCREENSHOTS"); dir != "" {
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		name := filepath.Join(dir, fmt.Sprintf("%s-%d.png", filepath.Base(url), width))
		if err := os.WriteFile(name, picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func checkLayout(t *testing.T, path string, l message.Language, width float64, got layout) {
	t.Helper()
	direction := map[message.Language]string{message.English: "ltr", message.Arabic: "rtl"}[l]
	start := map[message.Language]string{message.English: "left", message.Arabic: "right"}[l]
	if got.Dir != direction || got.Direction != direction || got.Lang != string(l) || got.Align != start {
		t.Errorf("%s: dir %s, computed %s, lang %s, align %s", path, got.Dir, got.Direction, got.Lang, got.Align)
	}
	if got.Overflow > 0 {
		t.Errorf("%s: %v px wider than %v", path, got.Overflow, width)
	}
	if s := got.Sheet; s.Left < 0 || s.Right > width || math.Abs((width-s.Right)-s.Left) > 1 {
		t.Errorf("%s: the sheet is at %+v of %v", path, s, width)
	}
	if got.Loaded != 0 {
		t.Errorf("%s: fetches %d things from elsewhere", path, got.Loaded)
	}
	if len(got.Weak) > 0 {
		t.Errorf("%s: hard to read: %q", path, got.Weak)
	}
	if b := got.Button; b == nil || b.Left < 0 || b.Right > width || b.Right-b.Left < 100 || b.Bottom-b.Top < 40 {
		t.Errorf("%s: the button is at %+v", path, b)
	}
	if len(got.Labels) < 5 {
		t.Errorf("%s: only %d statements", path, len(got.Labels))
	}
	for i, label := range got.Labels {
		text := got.Texts[i]
		if right := label.Left >= text.Right-1; right != (direction == "rtl") {
			t.Errorf("%s: label %d at %+v, its text at %+v", path, i, label, text)
		}
		if text.Right-text.Left < 180 {
			t.Errorf("%s: text %d is %v px wide", path, i, text.Right-text.Left)
		}
	}
}
