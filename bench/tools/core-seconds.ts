import { readdirSync, readFileSync } from 'node:fs'

const TICKS = 100

/** Seconds on a core since the process began, where /proc says it: what a busy machine does not falsify much. */
export function coreSeconds(pid: number): number {
  const [user = Number.NaN, system = Number.NaN] = ticksOf(pid)
  return (user + system) / TICKS
}

/** The same with all processes below it, and those of them that have ended. */
export function treeSeconds(root: number): number {
  const children = Map.groupBy(allPids(), parentOf)
  let sum = 0
  for (const below = [root]; below.length > 0; ) {
    const pid = below.pop() ?? root
    sum += ticksOf(pid).reduce((all, ticks) => all + ticks, 0)
    below.push(...(children.get(pid) ?? []))
  }
  return sum / TICKS
}

/** User and system, its own and of its children that have ended. */
const ticksOf = (pid: number): readonly number[] => statOf(pid).slice(11, 15).map(Number)

const parentOf = (pid: number): number => Number(statOf(pid)[1])

/** What follows the name in /proc/PID/stat: state, parent, ... */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(') ') + 2).split(' ')
  } catch {
    return []
  }
}

function allPids(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}
