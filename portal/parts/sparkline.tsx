import { memo } from 'react'
import { linesOf } from './spark-lines.ts'

const WIDTH = 48
const HEIGHT = 18

export interface SparklineProps {
  /** Oldest first; null: there was none. */
  readonly values: readonly (number | null)[]
  /** What the top of the line is; the largest value when left out. */
  readonly most?: number
  /** What it shows, for who cannot see it. */
  readonly label: string
  readonly width?: number
}

/** How a figure came to be what it is; it stands beside the figure and never alone. */
export const Sparkline = memo(function Sparkline({ values, most, label, width = WIDTH }: SparklineProps) {
  return (
    <svg
      viewBox={`0 0 ${width} ${HEIGHT}`}
      width={width}
      height={HEIGHT}
      style={{ minWidth: 12 }}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {linesOf(values, { width, height: HEIGHT, most }).map((points, index) => (
        // Stretches between gaps come and go at the ends only.
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no other name
        <polyline key={index} points={points} fill="none" stroke="var(--line-color)" strokeWidth="1.25" strokeLinejoin="round" />
      ))}
    </svg>
  )
})
