/** An hour of figures as lines: where they run, where they stop, and what lies under the pointer. */

export const HOUR_MS = 3_600_000
export const CHART = { width: 600, height: 96 } as const

type Figures = readonly (number | null)[]

const cut = (value: number) => Math.round(value * 10) / 10

/** The points of each stretch without a gap, for a picture that ends at `until`. */
export function linesOf(at: readonly number[], figures: Figures, top: number, until: number): readonly string[] {
  const lines: string[][] = []
  let line: string[] | undefined
  for (const [index, time] of at.entries()) {
    const figure = figures[index] ?? null
    if (figure === null || time < until - HOUR_MS) {
      line = undefined
      continue
    }
    if (!line) {
      line = []
      lines.push(line)
    }
    const x = (1 - (until - time) / HOUR_MS) * CHART.width
    const y = CHART.height - 1 - (figure / Math.max(top, Number.MIN_VALUE)) * (CHART.height - 2)
    line.push(`${cut(x)},${cut(y)}`)
  }
  return lines.filter((points) => points.length > 1).map((points) => points.join(' '))
}

/** The sample nearest to a place between the left edge (0) and the right (1). */
export function sampleAt(at: readonly number[], place: number, until: number): number | undefined {
  const wanted = until - (1 - place) * HOUR_MS
  let best: number | undefined
  for (const [index, time] of at.entries())
    if (best === undefined || Math.abs(time - wanted) < Math.abs((at[best] ?? 0) - wanted)) best = index
  return best
}

/** A round figure that nothing is above: 1, 2 or 5 times a power of ten. */
export function roundTop(figures: readonly Figures[]): number {
  const most = Math.max(0, ...figures.flat().map((figure) => figure ?? 0))
  if (most === 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return ([1, 2, 5, 10].find((step) => step * power >= most) ?? 10) * power
}

/** For who cannot see it: "between 3 % and 80 %, now 12 %". */
export function spoken(figures: Figures, say: (value: number) => string): string {
  const known = figures.filter((figure) => figure !== null)
  const last = known.at(-1)
  if (last === undefined) return 'no figures yet'
  return `between ${say(Math.min(...known))} and ${say(Math.max(...known))}, last ${say(last)}`
}
