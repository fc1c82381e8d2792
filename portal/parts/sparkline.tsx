import { memo } from 'react'

const WIDTH = 48
const HEIGHT = 18

export interface SparklineProps {
  /** Oldest first. */
  readonly values: readonly number[]
  /** What the top of the line is; the largest value when left out. */
  readonly most?: number
  /** What it shows, for who cannot see it. */
  readonly label: string
  readonly width?: number
}

/** How a figure came to be what it is; it stands beside the figure and never alone. */
export const Sparkline = memo(function Sparkline({ values, most, label, width = WIDTH }: SparklineProps) {
  return (
    <svg viewBox={`0 0 ${width} ${HEIGHT}`} width={width} height={HEIGHT} preserveAspectRatio="none" role="img" aria-label={label}>
      {values.length > 1 && (
        <polyline points={pointsOf(values, width, most)} fill="none" stroke="var(--line-color)" strokeWidth="1.25" strokeLinejoin="round" />
      )}
    </svg>
  )
})

/** Hundreds of these are drawn each second: numbers are cut by arithmetic, which costs a tenth of toFixed. */
function pointsOf(values: readonly number[], width: number, most = 0): string {
  const top = Math.max(most, ...values, Number.MIN_VALUE)
  const step = width / Math.max(1, values.length - 1)
  let points = ''
  for (const [index, value] of values.entries())
    points += `${Math.round(index * step * 10) / 10},${Math.round((HEIGHT - 1 - (value / top) * (HEIGHT - 2)) * 10) / 10} `
  return points
}
