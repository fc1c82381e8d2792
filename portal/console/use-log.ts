import type { LogLines } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { useEffect, useRef, useState } from 'react'
import { type LogSeen, NOTHING_SEEN, taken } from './log-entry.ts'
import { ask } from './session.ts'

const LOOK_MS = 1_000
const MOST = 5_000

/** Asks for what is new, again and again while it is followed, and once where it is not. */
export function useLog(follow: boolean): LogSeen & { readonly error: unknown } {
  const [seen, setSeen] = useState<LogSeen>(NOTHING_SEEN)
  const [error, setError] = useState<unknown>()
  const from = useRef({ ring: '', last: 0 })
  useEffect(() => {
    const over = new AbortController()
    const look = async () => {
      const { ring, last } = from.current
      try {
        const query = new URLSearchParams({ after: String(last), ring })
        const page = await ask<LogLines>(`${CONSOLE_PATHS.logs}?${query}`, { signal: over.signal })
        if (from.current.ring !== ring || from.current.last !== last) return // another look was sooner
        from.current = { ring: page.ring, last: page.last }
        setSeen((before) => taken(before, page, MOST))
        setError(undefined)
      } catch (cause) {
        if (!over.signal.aborted) setError(cause)
      }
    }
    void look()
    const timer = follow ? setInterval(() => void look(), LOOK_MS) : undefined
    return () => {
      over.abort()
      clearInterval(timer)
    }
  }, [follow])
  return { ...seen, error }
}
