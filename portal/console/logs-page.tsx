import { Button, Code, Group, Select, Stack, Switch, Text, TextInput } from '@mantine/core'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { useMutation } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { FaultNote } from '../parts/fault-note.tsx'
import { LEVELS, type Level, type LogEntry, matching } from './log-entry.ts'
import classes from './logs-page.module.css'
import { Part } from './part.tsx'
import { save } from './session.ts'
import { useLog } from './use-log.ts'

const ROW_PX = 24

export function LogsPage({ away }: { readonly away: boolean }) {
  const [follow, setFollow] = useState(true)
  const [level, setLevel] = useState<Level>('debug')
  const [words, setWords] = useState('')
  const [chosen, setChosen] = useState<LogEntry>()
  const { entries, lost, error } = useLog(follow && !away)
  const shown = useMemo(() => matching(entries, level, words), [entries, level, words])
  return (
    <Part title="Logs" actions={<Bundle />}>
      <Stack gap="sm">
        <Group gap="sm" align="flex-end">
          <TextInput
            label="Words"
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
            w={{ base: 'calc(100% - 122px)', xs: 240 }}
          />
          <Select
            label="At least"
            data={LEVELS}
            value={level}
            onChange={(value) => value && setLevel(value)}
            allowDeselect={false}
            w={110}
          />
          <Switch label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} mb={8} />
          <Text size="sm" c="dimmed" mb={8}>
            {shown.length} of {entries.length} lines{lost ? '; older ones are not kept here' : ''}
          </Text>
        </Group>
        {error !== undefined && !away && <FaultNote cause={error} />}
        <Lines
          entries={shown}
          follow={follow}
          pause={() => setFollow(false)}
          chosen={chosen}
          choose={(entry) => setChosen(entry === chosen ? undefined : entry)}
        />
        {chosen && (
          <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {pretty(chosen.text)}
          </Code>
        )}
        <Text size="xs" c="dimmed">
          The newest lines of this process, in its memory; all of them go to its standard error. The bundle holds these lines, the status
          and the names of the stores, and no secrets.
        </Text>
      </Stack>
    </Part>
  )
}

function Bundle() {
  const bundle = useMutation({ mutationFn: () => save(CONSOLE_PATHS.bundle) })
  return (
    <Group gap="sm">
      {bundle.error && <FaultNote cause={bundle.error} />}
      <Button variant="light" onClick={() => bundle.mutate()} loading={bundle.isPending}>
        Export a bundle
      </Button>
    </Group>
  )
}

interface LinesProps {
  readonly entries: readonly LogEntry[]
  readonly follow: boolean
  /** Who goes up wants to read, and nothing that moves. */
  readonly pause: () => void
  readonly chosen: LogEntry | undefined
  readonly choose: (entry: LogEntry) => void
}

function Lines({ entries, follow, pause, chosen, choose }: LinesProps) {
  const scroller = useRef<HTMLElement>(null)
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => entries[index]?.seq ?? index,
    overscan: 20,
  })
  useEnd(scroller, follow, entries.at(-1)?.seq, rows.getTotalSize())
  if (entries.length === 0) return <Text size="sm">No line is like that.</Text>
  return (
    <section
      ref={scroller}
      className={classes['scroller']}
      data-beside={chosen ? true : undefined}
      aria-label="Log lines"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
      tabIndex={0}
      onWheel={({ deltaY }) => deltaY < 0 && pause()}
      onKeyDown={({ key }) => UP.includes(key) && pause()}
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const entry = entries[index]
          return (
            entry && (
              <button
                key={entry.seq}
                ref={rows.measureElement}
                data-index={index}
                type="button"
                className={classes['line']}
                data-level={entry.level}
                aria-pressed={entry === chosen}
                style={{ transform: `translateY(${start}px)` }}
                onClick={() => choose(entry)}
              >
                <Line entry={entry} />
              </button>
            )
          )
        })}
      </div>
    </section>
  )
}

const UP: readonly string[] = ['ArrowUp', 'PageUp', 'Home']

function Line({ entry: { time, level, words, facts } }: { readonly entry: LogEntry }) {
  return (
    <>
      <span className={classes['time']}>{time}</span> <span className={classes['level']}>{level}</span> {words}{' '}
      <span className={classes['facts']}>{facts}</span>
    </>
  )
}

/** To the newest line whenever one comes, or those that are there turn out higher than was thought. */
function useEnd(scroller: RefObject<HTMLElement | null>, follow: boolean, last: number | undefined, height: number): void {
  useEffect(() => {
    if (follow && last !== undefined && height > 0) scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  }, [scroller, follow, last, height])
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
