/** How long ago or ahead, in the largest unit that fits: "5 minutes ago", "in 3 days", "never". */
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

const words = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'long' })

export function ago(iso: string | null, now: number): string {
  if (iso === null) return 'never'
  const ms = Date.parse(iso) - now
  const [unit, size] = UNITS.find(([, size]) => Math.abs(ms) >= size) ?? [undefined, 1]
  return unit === undefined ? (ms > 0 ? 'in a moment' : 'just now') : words.format(Math.trunc(ms / size), unit)
}

/** A time that somebody has set, in the largest unit that it is whole in: "12 hours", "7 days", "90 seconds". */
export function timeOf(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size / 1_000 && seconds % (size / 1_000) === 0) ?? ['second', 1_000]
  const count = seconds / (size / 1_000)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

export const dayOf = (iso: string): string => new Date(iso).toLocaleDateString(undefined, { dateStyle: 'medium' })
