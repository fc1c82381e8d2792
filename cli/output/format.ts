/** Figures for people. */

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']

export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toFixed(digits)} ${UNITS[unit]}`
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function duration(ms: number | null): string {
  if (ms === null) return '-'
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`
  return `${Math.floor(seconds / 3_600)} h ${pad(Math.floor((seconds % 3_600) / 60))} m`
}

export function when(iso: string | null): string {
  return iso === null ? '-' : iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z')
}

export function percent(value: number): string {
  return `${Math.round(value)} %`
}

const pad = (value: number) => String(value).padStart(2, '0')
