import { Button, Code, Group, Select, Stack, Switch, Text, TextInput, Title } from '@mantine/core'
import type { LogLines } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { useMutation } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import { FaultNote } from '../parts/fault-note.tsx'
import { joined, LEVELS, type Level, type LogEntry, logEntry, matching } from './log-entry.ts'
import classes from './logs-page.module.css'
import { ask, save } from './session.ts'

const LOOK_MS = 1_000
const MOST = 5_000
const ROW_PX = 24

export function LogsPage({ away }: { readonly away: boolean }) {
  const [follow, setFollow] = useState(true)
  const [level, setLevel] = useState<Level>('debug')
  const [words, setWords] = useState('')
  const [chosen, setChosen] = useState<LogEntry>()
  const { entries, lost, error } = useLog(follow && !away)
  const shown = useMemo(() => matching(entries, level, words), [entries, level, words])
  const bundle = useMutation({ mutationFn: () => save(CONSOLE_PATHS.bundle) })
  return (
    <Stack gap="sm" component="section" aria-label="Logs">
      <Group justify="space-between">
        <Title order={2}>Logs</Title>
        <Button variant="light" onClick={() => bundle.mutate()} loading={bundle.isPending}>
          Export a bundle
        </Button>
      </Group>
      <Group gap="sm" align="flex-end">
        <TextInput label="Words" value={words} onChange={(event) => setWords(event.currentTarget.value)} />
        <Select label="At least" data={LEVELS} value={level} onChange={(value) => value && setLevel(value)} allowDeselect={false} w={110} />
        <Switch label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} mb={8} />
        <Text size="sm" c="dimmed" mb={8}>
          {shown.length} of {entries.length} lines{lost ? '; older ones are not kept here' : ''}
        </Text>
      </Group>
      {error !== undefined && !away && <FaultNote cause={error} />}
      {bundle.error && <FaultNote cause={bundle.error} />}
      <Lines entries={shown} follow={follow} chosen={chosen} choose={setChosen} />
      {chosen && <Code block>{pretty(chosen.text)}</Code>}
      <Text size="xs" c="dimmed">
        The newest lines of this process, in its memory; all of them go to its standard error. The bundle holds these lines, the status and
        the names of the stores, and no secrets.
      </Text>
    </Stack>
  )
}

interface LinesProps {
  readonly entries: readonly LogEntry[]
  readonly follow: boolean
  readonly chosen: LogEntry | undefined
  readonly choose: (entry: LogEntry) => void
}

function Lines({ entries, follow, chosen, choose }: LinesProps) {
  const scroller = useRef<HTMLElement>(null)
  const rows = useVirtualizer({ count: entries.length, getScrollElement: () => scroller.current, estimateSize: () => ROW_PX, overscan: 20 })
  const last = entries.at(-1)?.seq
  useEffect(() => {
    if (follow && last !== undefined) scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  }, [follow, last])
  if (entries.length === 0) return <Text size="sm">No line is like that.</Text>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section ref={scroller} className={classes['scroller']} aria-label="Log lines" tabIndex={0}>
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const entry = entries[index]
          if (!entry) return null
          return (
            <button
              key={entry.seq}
              type="button"
              className={classes['line']}
              data-level={entry.level}
              aria-pressed={entry.seq === chosen?.seq}
              style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
              onClick={() => choose(entry)}
            >
              <span className={classes['time']}>{entry.time}</span> <span className={classes['level']}>{entry.level}</span> {entry.words}{' '}
              <span className={classes['facts']}>{entry.facts}</span>
            </button>
          )
        })}
      </div>
    </section>
  )
}

/** Asks for what is new, again and again while it is followed, and once where it is not. */
function useLog(follow: boolean): { readonly entries: readonly LogEntry[]; readonly lost: boolean; readonly error: unknown } {
  const [state, setState] = useState<{ readonly entries: readonly LogEntry[]; readonly lost: boolean; readonly error?: unknown }>({
    entries: [],
    lost: false,
  })
  const after = useRef(0)
  useEffect(() => {
    const over = new AbortController()
    const look = async () => {
      try {
        const page = await ask<LogLines>(`${CONSOLE_PATHS.logs}?after=${after.current}`, { signal: over.signal })
        const first = after.current === 0
        after.current = page.last
        const come = page.lines.map(logEntry)
        setState((before) =>
          come.length === 0 && before.error === undefined
            ? before
            : { entries: joined(before.entries, come, MOST), lost: before.lost || (first && page.lost) },
        )
      } catch (error) {
        if (!over.signal.aborted) setState((before) => ({ ...before, error }))
      }
    }
    void look()
    const timer = follow ? setInterval(() => void look(), LOOK_MS) : undefined
    return () => {
      over.abort()
      clearInterval(timer)
    }
  }, [follow])
  return { error: undefined, ...state }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
