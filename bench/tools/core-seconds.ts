import { readFileSync } from 'node:fs'

/** Seconds on a core since the process began, where /proc says it: what a busy machine does not falsify much. */
export function coreSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
}
