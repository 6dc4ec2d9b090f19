package outbox

import "maps"

// Fate is what became of a record.
type Fate uint8

// The fates. A record that has none waits.
const (
	// Delivered: the collector took it.
	Delivered Fate = iota

	// Refused: the collector refused it for good.
	Refused
	// TooLarge: the collector refused it for its size.
	TooLarge
	// PartialSuccess: the collector left it out of a batch that it took.
	PartialSuccess

	// QueueFull: it made room for newer ones.
	QueueFull
	// Expired: it waited for longer than it may.
	Expired
	// Damaged: what the disk gave back was not what was written.
	Damaged
	// Shutdown: it came after the end, or waited in memory then.
	Shutdown
	// NoExporter: nobody asked for it to be sent.
	NoExporter

	numFates
)

// Fates returns all of them.
func Fates() []Fate {
	fates := make([]Fate, numFates)
	for i := range fates {
		fates[i] = Fate(i)
	}
	return fates
}

// String returns the name that the ledger and the metrics use.
func (f Fate) String() string {
	return [...]string{
		"delivered", "refused", "too_large", "partial_success", "queue_full", "expired", "damaged", "shutdown", "no_exporter", "unknown",
	}[min(f, numFates)]
}

// Rejected reports whether the collector got the record and did not want it.
func (f Fate) Rejected() bool { return f == Refused || f == TooLarge || f == PartialSuccess }

// Settled tells how many records of a batch met which fate.
type Settled map[Fate]Tally

// Add notes more records of a fate.
func (s Settled) Add(fate Fate, t Tally) { s[fate] = s[fate].Plus(t) }

// Account is what became of the records of one event name.
type Account struct {
	Observed int64
	Settled  [numFates]int64
}

// Queued is the number of records without a fate yet. That an account balances
// is therefore no check; that Queued is what the outbox holds is one.
func (a Account) Queued() int64 {
	queued := a.Observed
	for _, n := range a.Settled {
		queued -= n
	}
	return queued
}

func (a Account) plus(b Account) Account {
	a.Observed += b.Observed
	for fate, n := range b.Settled {
		a.Settled[fate] += n
	}
	return a
}

// Ledger holds the accounts by event name. There are no more than maxAccounts of
// them and that of Other, which has what else came: an agent's own records may
// have any name.
type Ledger map[string]Account

// maxAccounts is ten times the events that Codex is known to have.
const maxAccounts = 256

// Other is the name of the account of what has none.
const Other = "other"

// account returns the name of the account that a name is booked under. An account
// stays for ever, so that this never changes once it was used.
func (l Ledger) account(name string) string {
	if _, open := l[name]; open || len(l) < maxAccounts {
		return name
	}
	return Other
}

// Observe adds records that are new.
func (l Ledger) Observe(t Tally) {
	for name, n := range t {
		name = l.account(name)
		account := l[name]
		account.Observed += int64(n)
		l[name] = account
	}
}

// ObserveOne adds one record that is new.
func (l Ledger) ObserveOne(name string) {
	name = l.account(name)
	account := l[name]
	account.Observed++
	l[name] = account
}

// Settle notes the fate of records.
func (l Ledger) Settle(t Tally, fate Fate) {
	for name, n := range t {
		name = l.account(name)
		account := l[name]
		account.Settled[fate] += int64(n)
		l[name] = account
	}
}

// Plus returns the sum of two ledgers.
func (l Ledger) Plus(other Ledger) Ledger {
	sum := maps.Clone(l)
	if sum == nil {
		sum = Ledger{}
	}
	for name, account := range other {
		sum[name] = sum[name].plus(account)
	}
	return sum
}

// Total is the sum of all accounts.
func (l Ledger) Total() Account {
	var total Account
	for _, account := range l {
		total = total.plus(account)
	}
	return total
}

// Queued returns how many records of each name wait.
func (l Ledger) Queued() Tally {
	queued := Tally{}
	for name, account := range l {
		if n := account.Queued(); n != 0 {
			queued[name] = int(n)
		}
	}
	return queued
}
