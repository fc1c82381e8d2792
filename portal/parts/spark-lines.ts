interface Frame {
  readonly width: number
  readonly height: number
  /** What the top is; the largest value when that is larger. */
  readonly most?: number | undefined
}

/** The points of each stretch without a gap. Hundreds are drawn at a time: numbers are cut by arithmetic, which costs a tenth of toFixed. */
export function linesOf(values: readonly (number | null)[], { width, height, most = 0 }: Frame): readonly string[] {
  let top = Math.max(most, Number.MIN_VALUE)
  for (const value of values) if (value !== null && value > top) top = value
  const step = width / Math.max(1, values.length - 1)
  const lines: string[] = []
  let [points, count] = ['', 0]
  for (let index = 0; index <= values.length; index += 1) {
    const value = values[index] ?? null
    if (value !== null) {
      points += `${cut(index * step)},${cut(height - 1 - (value / top) * (height - 2))} `
      count += 1
      continue
    }
    if (count > 1) lines.push(points)
    points = ''
    count = 0
  }
  return lines
}

const cut = (value: number): number => Math.round(value * 10) / 10
