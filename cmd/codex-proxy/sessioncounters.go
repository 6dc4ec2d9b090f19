package main

import "github.com/codex-proxy/codex-proxy/internal/session"

// sessionCounters tell what was forgotten of conversations, and what could not be looked at.
func (s *service) sessionCounters() []series {
	count := func(name, help string, of func(session.Counts) int64) series {
		return series{name, help, nil, func() float64 { return float64(of(s.sessions.Counts())) }}
	}
	const responses, again = "codex_proxy_responses_forgotten_total", "Stored responses forgotten: if one of the background is read again, its tokens may be told again."
	const forgotten, help = "codex_proxy_conversations_forgotten_total", "Conversations forgotten: a prompt or tool result sent again may be told again."
	return []series{
		{forgotten, help, map[string]string{"reason": "room"}, func() float64 { return float64(s.sessions.Counts().Evicted) }},
		{forgotten, help, map[string]string{"reason": "age"}, func() float64 { return float64(s.sessions.Counts().Expired) }},
		{responses, again, map[string]string{"reason": "room"}, func() float64 { return float64(s.sessions.Counts().ResponsesEvicted) }},
		{responses, again, map[string]string{"reason": "age"}, func() float64 { return float64(s.sessions.Counts().ResponsesExpired) }},
		count("codex_proxy_tool_calls_dropped_total", "Tool calls forgotten before their output came.",
			func(c session.Counts) int64 { return c.CallsDropped }),
		count("codex_proxy_request_parts_cut_total", "Parts of requests that were too large to look at.",
			func(c session.Counts) int64 { return c.Cut }),
		count("codex_proxy_orphan_outputs_total", "Outputs of tool calls that nothing is known of.",
			func(c session.Counts) int64 { return c.Orphans }),
	}
}

// sessionGauges tell what is remembered of conversations.
func (s *service) sessionGauges() []series {
	return []series{
		{
			"codex_proxy_conversations", "Conversations remembered.", nil,
			func() float64 { return float64(s.sessions.Counts().Conversations) },
		},
		{
			"codex_proxy_tool_calls_in_flight", "Tool calls whose output is waited for.", nil,
			func() float64 { return float64(s.sessions.Counts().Calls) },
		},
		{
			"codex_proxy_responses", "Stored responses remembered, of which it is known whether their tokens were told.", nil,
			func() float64 { return float64(s.sessions.Counts().Responses) },
		},
		{
			"codex_proxy_conversation_bytes", "Memory that conversations take, about.", nil,
			func() float64 { return float64(s.sessions.Counts().Bytes) },
		},
	}
}
