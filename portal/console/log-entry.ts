/** The lines of a node's log, as a person reads them. Pure. */
import type { LogLines } from '@postern/protocol/console-api.ts'

export interface LogEntry {
  readonly seq: number
  readonly time: string
  readonly level: Level
  readonly words: string
  /** Everything else that the line says, as "name=value". */
  readonly facts: string
  readonly text: string
}

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

export function logEntry({ seq, text }: { readonly seq: number; readonly text: string }): LogEntry {
  const { time, level, msg, name: _, err, ...rest } = parsed(text)
  const failure = typeof err === 'object' && err !== null && 'message' in err ? { error: err.message } : {}
  return {
    seq,
    time: typeof time === 'string' ? clockTime(time) : '',
    level: levelOf(level),
    words: typeof msg === 'string' ? msg : text,
    facts: Object.entries({ ...rest, ...failure })
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' '),
    text,
  }
}

/** Those of this level or a worse one, that hold all the words. */
export function matching(entries: readonly LogEntry[], least: Level, words: string): readonly LogEntry[] {
  const from = LEVELS.indexOf(least)
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  return entries.filter(({ level, text }) => {
    if (LEVELS.indexOf(level) < from) return false
    const lower = text.toLowerCase()
    return wanted.every((word) => lower.includes(word))
  })
}

export interface LogSeen {
  /** Whose lines: of one start of the node's process. */
  readonly ring: string
  readonly entries: readonly LogEntry[]
  /** Some of them are not kept any more. */
  readonly lost: boolean
}

export const NOTHING_SEEN: LogSeen = { ring: '', entries: [], lost: false }

/** What came, after what is there: nothing twice, and not more than `most`. A process that was started anew begins anew. */
export function taken(before: LogSeen, { ring, lines, lost }: LogLines, most: number): LogSeen {
  if (ring !== before.ring) return { ring, entries: lines.map(logEntry).slice(-most), lost }
  const last = before.entries.at(-1)?.seq ?? 0
  const come = lines.filter(({ seq }) => seq > last).map(logEntry)
  return come.length === 0 && !lost ? before : { ring, entries: [...before.entries, ...come].slice(-most), lost: before.lost || lost }
}

function levelOf(value: unknown): Level {
  if (typeof value !== 'number') return 'info'
  return value >= 50 ? 'error' : value >= 40 ? 'warn' : value >= 30 ? 'info' : 'debug'
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** In the reader's own zone, to the millisecond: lines of one second have an order. */
function clockTime(iso: string): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
