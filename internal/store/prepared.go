package store

import (
	"context"
	"database/sql"
)

// prepared is a connection that compiles each statement once: a transaction has a dozen, always the same, and compiling
// them would be a third of it. Statements of a connection are part of its transaction. Their texts are constants, so
// that there are no more than the program has. It is used by one goroutine at a time.
type prepared struct {
	conn  *sql.Conn
	ready map[string]*sql.Stmt
}

// querier is what runs queries: prepared, or a pool or connection of database/sql.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

var _ querier = (*prepared)(nil)

// close gives the connection back. SQLite would keep the file open for statements that are left.
func (p *prepared) close() {
	for _, s := range p.ready {
		_ = s.Close()
	}
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// statement returns a compiled statement.
func (p *prepared) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := p.ready[text]; ok {
		return s, nil
	}
	s, err := p.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if p.ready == nil {
		p.ready = make(map[string]*sql.Stmt)
	}
	p.ready[text] = s
	return s, nil
}

// ExecContext is that of sql.Conn.
func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	s, err := p.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext is that of sql.Conn.
func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext is that of sql.Conn.
func (p *prepared) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	s, err := p.statement(ctx, text)
	if err != nil {
		return p.conn.QueryRowContext(ctx, text, args...) // It tells of the error.
	}
	return s.QueryRowContext(ctx, args...)
}
