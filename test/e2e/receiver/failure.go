package receiver

import (
	"errors"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Failure is a way for the receiver to refuse a batch, named after what the exporter sees.
type Failure int

// The failures, and what the Collector makes of them on the wire.
const (
	None        Failure = iota // the batch is taken
	Unavailable                // HTTP 503, gRPC Unavailable: to be sent again
	Internal                   // HTTP 500, gRPC Internal: not to be sent again
	Exhausted                  // HTTP 429, gRPC ResourceExhausted
	Invalid                    // HTTP 400, gRPC InvalidArgument: not to be sent again
	Hang                       // no answer until the client leaves or the failure changes
)

var errRefused = errors.New("refused by the test")

// err is the error that makes the Collector answer with f.
func (f Failure) err() error {
	switch f {
	case None:
		return nil
	case Internal:
		return consumererror.NewPermanent(errRefused)
	case Exhausted:
		return status.Error(codes.ResourceExhausted, errRefused.Error())
	case Invalid:
		return status.Error(codes.InvalidArgument, errRefused.Error())
	case Unavailable, Hang:
		return errRefused
	}
	return errRefused
}
