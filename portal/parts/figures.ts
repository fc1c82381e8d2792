/** Figures with units, as people read them. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Three digits at most before the unit, powers of 1,000: 1234567 is "1.23 MB". */
export function bytes(value: number): string {
  const step = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3))
  const scaled = value / 1_000 ** step
  const digits = step === 0 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2
  return `${scaled.toFixed(digits)} ${UNITS[step]}`
}

export const rate = (perSecond: number): string => `${bytes(perSecond)}/s`
export const percent = (value: number): string => `${Math.round(value)} %`

/** Made once: long lists write thousands of them. */
const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const SHORT = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })
const SECOND = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

export const count = (value: number): string => WHOLE.format(value)

/** 950 ms, 12.3 s, 4 m 05 s, 3 h 20 m, 2 d 4 h. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${twoDigits(seconds % 60)} s`
  const hours = Math.floor(seconds / 3_600)
  if (hours < 48) return `${hours} h ${twoDigits(Math.floor((seconds % 3_600) / 60))} m`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const twoDigits = (value: number) => String(value).padStart(2, '0')

/** For columns; the whole moment should be near. */
export const shortMoment = (iso: string): string => SHORT.format(new Date(iso))
/** For columns where many are of one minute. */
export const secondMoment = (iso: string): string => SECOND.format(new Date(iso))
/** In the reader's own zone and spelling, to the second. */
export const moment = (iso: string): string => MOMENT.format(new Date(iso))
