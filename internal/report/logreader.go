package report

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/codex-proxy/codex-proxy/events"
)

// Limits on what an OTLP record may hold. The SDKs' own limit on attributes is
// the same; what is past it is left out and counted on the record, as they do.
const (
	maxAttributes   = 128
	maxRecordValues = 1024 // nested ones included
	maxDepth        = 16   // of lists and maps
	maxOriginBytes  = 64 << 10
	valuesPerItem   = 64 // of all records of a request, on average
)

// logRecord is one record of a request: what it says, or why it is rejected.
type logRecord struct {
	foreign *events.Foreign
	// digest is equal for the same bytes from the same origin. Empty without a
	// time in them: then equal bytes are no retry.
	digest  string
	problem logProblem
}

// logReader reads the records of an ExportLogsServiceRequest, in whichever
// encoding, into memory that is bounded by its limits and not by what the bytes
// claim.
type logReader struct {
	maxRecordBytes int
	maxItems       int
	valuesLeft     int // of the whole request
	recordValues   int // left for the record being read

	records  []logRecord
	repaired int64
	digests  map[string]int
}

func (h *Handler) newLogReader() *logReader {
	return &logReader{
		maxRecordBytes: 2 * h.config.MaxFieldBytes,
		maxItems:       h.config.MaxItems,
		valuesLeft:     valuesPerItem * h.config.MaxItems,
		digests:        make(map[string]int),
	}
}

// errBroken is a request that is not what its Content-Type says.
func errBroken(what string) error {
	return refuse(http.StatusBadRequest, refusedSyntax, "want an OTLP ExportLogsServiceRequest as "+what)
}

// open makes room for one more record.
func (d *logReader) open() error {
	if len(d.records) == d.maxItems {
		return tooMany(d.maxItems)
	}
	d.recordValues = maxRecordValues
	return nil
}

// add keeps a record that was read, or what was wrong with it.
func (d *logReader) add(f *events.Foreign, origin string, raw []byte, problem logProblem) {
	record := logRecord{foreign: f, problem: problem}
	if problem == 0 && (f.TimeUnixNano != 0 || f.ObservedUnixNano != 0) {
		record.digest = d.digest(origin, raw)
	}
	d.records = append(d.records, record)
}

// digest names the bytes of a record. The second of two equal ones in a request
// is another record, and a retry of the request has them in the same order.
func (d *logReader) digest(origin string, raw []byte) string {
	sum := sha256.New()
	_, _ = sum.Write([]byte(origin))
	_, _ = sum.Write(raw)
	name := hex.EncodeToString(sum.Sum(nil)[:16])
	n := d.digests[name]
	d.digests[name]++
	return name + "-" + strconv.Itoa(n)
}

// logOrigin is where records come from, as far as it was read.
type logOrigin struct {
	origin  events.Origin
	told    [2][]byte // the bytes of the resource and its schema_url
	named   string    // digest of told; "" until somebody asks
	digest  string    // of the resource and the scope
	problem logProblem
}

// inScope returns the origin with a scope told in those bytes.
func (o *logOrigin) inScope(scope, schema []byte) logOrigin {
	if o.named == "" {
		o.named = originDigest("", o.told[0], o.told[1])
	}
	from := *o
	from.digest = originDigest(o.named, scope, schema)
	if wrong := tooLong(len(scope) + len(schema)); wrong != 0 {
		from.problem = wrong
	}
	return from
}

// tooLong says what is wrong with a resource or a scope of that length.
func tooLong(bytes int) logProblem {
	if bytes > maxOriginBytes {
		return problemSize
	}
	return 0
}

// originDigest names the bytes that a resource or a scope is told in.
func originDigest(outer string, parts ...[]byte) string {
	sum := sha256.New()
	_, _ = sum.Write([]byte(outer))
	for _, part := range parts {
		_, _ = sum.Write([]byte(strconv.Itoa(len(part)) + ":"))
		_, _ = sum.Write(part)
	}
	return string(sum.Sum(nil))
}

// value takes one more value from the budgets.
func (d *logReader) value(depth int) logProblem {
	d.recordValues--
	d.valuesLeft--
	switch {
	case depth > maxDepth:
		return problemNesting
	case d.recordValues < 0 || d.valuesLeft < 0:
		return problemSize
	default:
		return 0
	}
}

// text returns a string of a record as it may leave.
func (d *logReader) text(s string) string {
	clean, repaired, _ := events.CleanText(s, events.DefaultMaxValueBytes)
	if repaired {
		d.repaired++
	}
	return clean
}

// key returns the key of an attribute as it may leave.
func (d *logReader) key(s string) string {
	clean, repaired, _ := events.CleanText(s, maxCommonBytes)
	if repaired {
		d.repaired++
	}
	return clean
}

// put adds an attribute, or leaves it out: a key that is empty or that was there
// already tells nothing, and one past the limit is counted.
func put(pairs []events.Pair, p events.Pair, dropped *uint32) []events.Pair {
	if p.Key == "" {
		return pairs
	}
	for i := range pairs {
		if pairs[i].Key == p.Key {
			return pairs
		}
	}
	if len(pairs) == maxAttributes {
		*dropped++
		return pairs
	}
	return append(pairs, p)
}
