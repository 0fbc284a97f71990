package mqtt

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/rs/zerolog"
)

const (
	connectTimeout    = 15 * time.Second // for opening and greeting
	disconnectTimeout = 2 * time.Second  // longer than the transport's flushTimeout
	abandonTimeout    = 100 * time.Millisecond
	farewellTimeout   = time.Second // for the broker to take Presence.Offline
	pingTimeout       = 10 * time.Second
	pahoPause         = 10 * time.Millisecond // paho's own pause between attempts: ours come before it
)

// Why a session closes its own connection.
var (
	errNoRoom = errors.New("no room for another message")
	errSilent = errors.New("no message for longer than idle_timeout")
)

// session is one client id at the broker and the connection that paho keeps for it.
//
// paho does the reconnecting. The session waits in paho's way where it must (beforeConnect), opens the transport, and
// follows it through its hooks: greeted, ended.
type session struct {
	assignment
	brokers  []*url.URL
	retiring bool // left by an earlier configuration; ends when it is drained
	presence *Presence
	shared   *shared

	client  paho.Client
	context context.Context // ends attempts to connect
	cancel  context.CancelFunc

	origin   atomic.Pointer[origin] // the latest connection
	arrivals atomic.Int64           // messages received
	ready    chan struct{}          // closed when all filters are subscribed for the first time
	log      zerolog.Logger

	mu       sync.Mutex
	state    SessionStatus
	counts   sessionCounts
	expected bool          // the broker should know this session
	failures int           // in a row
	password string        // as last resolved
	patience time.Duration // of the watchdog
}

// shared is what all sessions use.
type shared struct {
	config    Config
	queue     *queue
	password  func() (string, error)
	now       func() time.Time
	accepting func() bool
	log       zerolog.Logger
}

// sessionCounts are exported as counters.
type sessionCounts struct {
	connects, disconnects, failures, overflows, forgotten int64
}

func newSession(a assignment, brokers []*url.URL, known bool, s *shared) *session {
	ctx, cancel := context.WithCancel(context.Background())
	made := &session{
		assignment: a,
		brokers:    brokers,
		shared:     s,
		context:    ctx,
		cancel:     cancel,
		ready:      make(chan struct{}),
		log:        s.log.With().Str("session", a.clientID).Logger(),
		expected:   known,
		patience:   s.config.IdleTimeout,
	}
	made.state = SessionStatus{ClientID: a.clientID, Filters: a.filters, Since: time.Now()}
	made.client = paho.NewClient(made.options())
	return made
}

// options are paho's. The store keeps nothing: inbound messages have no use for one, since the broker is what
// remembers them, and nothing is published through paho.
func (s *session) options() *paho.ClientOptions {
	o := paho.NewClientOptions()
	o.Servers = s.brokers
	o.SetClientID(s.clientID)
	o.SetProtocolVersion(4)
	o.SetCleanSession(false)
	o.SetOrderMatters(true)
	o.SetAutoAckDisabled(true)
	o.SetStore(noStore{})
	o.SetKeepAlive(s.shared.config.KeepAlive)
	o.SetPingTimeout(min(pingTimeout, s.shared.config.KeepAlive))
	o.SetConnectTimeout(connectTimeout)
	o.SetWriteTimeout(connectTimeout) // bounds handing over a SUBSCRIBE
	o.SetConnectRetry(true)
	o.SetConnectRetryInterval(pahoPause)
	o.SetMaxReconnectInterval(pahoPause)
	o.SetConnectionNotificationHandler(s.notified)
	o.SetCustomOpenConnectionFn(s.open)
	o.SetCredentialsProvider(s.credentials)
	o.SetDefaultPublishHandler(s.receive)
	o.SetOnConnectHandler(s.subscribeAll)
	return o
}

// start lets paho connect, and keep connecting. Its token tells nothing: paho never gives up.
func (s *session) start() { s.client.Connect() }

// stop writes what is pending, says goodbye and closes. The broker keeps the session. It takes at most
// farewellTimeout and disconnectTimeout.
func (s *session) stop() {
	s.cancel()
	if s.connected() && s.leave() {
		s.client.Disconnect(uint(disconnectTimeout.Milliseconds()))
		return
	}
	if o := s.origin.Load(); o != nil {
		o.transport.fail(errClosed) // frees a handshake that waits for its answer
	}
	s.client.Disconnect(uint(abandonTimeout.Milliseconds())) // paho waits for all of it when there is no connection
}

// up is the connection that the broker has accepted; nil where there is none.
func (s *session) up() *origin {
	if o := s.origin.Load(); o != nil && o.welcome.Load() {
		return o
	}
	return nil
}

// leave says that the client goes away. It returns false where the broker is to say so.
func (s *session) leave() bool {
	o := s.up()
	return o == nil || o.presence == nil || o.presence.leave()
}

// receive is paho's handler. It never blocks: paho would answer no pings meanwhile.
func (s *session) receive(_ paho.Client, m paho.Message) {
	// paho opens no new connection before the last message of the old one has passed here.
	o := s.origin.Load()
	s.arrivals.Add(1)
	v := s.shared.queue.push(Message{
		Topic:     m.Topic(),
		Payload:   m.Payload(),
		Received:  s.shared.now().UnixMilli(),
		QoS:       m.Qos(),
		Retained:  m.Retained(),
		Duplicate: m.Duplicate(),
		id:        m.MessageID(),
		origin:    o,
	})
	if v == refused {
		o.transport.fail(errNoRoom)
	}
}

// open is paho's way to a connection.
func (s *session) open(broker *url.URL, _ paho.ClientOptions) (net.Conn, error) {
	conn, err := s.dial(s.context, broker)
	if err != nil {
		return nil, err
	}
	o := &origin{log: s.log}
	o.transport = newTransport(conn, hooks{
		greeted: func(g greeting) { o.welcome.Store(true); s.greeted(broker, g) },
		refill:  s.shared.queue.holdBack,
		ended:   func(cause error) { s.ended(o, cause) },
	})
	if s.presence != nil {
		o.presence = newPresence(o.transport, s.presence, s.shared.now().UnixMilli())
	}
	s.origin.Store(o)
	if s.context.Err() != nil { // stop may have looked for the connection before it was stored
		o.transport.fail(errClosed)
	}
	if o.presence != nil {
		return o.presence, nil
	}
	return o.transport, nil
}

func (s *session) dial(ctx context.Context, broker *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	config, err := s.shared.config.TLS.load()
	if err != nil {
		return nil, err
	}
	return dial(ctx, broker, config)
}

func (s *session) credentials() (string, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shared.config.Username, s.password
}
