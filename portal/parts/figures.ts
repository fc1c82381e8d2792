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
