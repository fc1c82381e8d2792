const WIDTH = 48
const HEIGHT = 18

export interface SparklineProps {
  /** Oldest first. */
  readonly values: readonly number[]
  /** What the top of the line is; the largest value when left out. */
  readonly most?: number
  /** What it shows, for who cannot see it. */
  readonly label: string
}

/** How a figure came to be what it is; it stands beside the figure and never alone. */
export function Sparkline({ values, most, label }: SparklineProps) {
  const top = Math.max(most ?? 0, ...values, Number.MIN_VALUE)
  const step = WIDTH / Math.max(1, values.length - 1)
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}`)
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      {values.length > 1 && (
        <polyline
          points={points.join(' ')}
          fill="none"
          stroke="var(--mantine-primary-color-filled)"
          strokeWidth="1.25"
          strokeLinejoin="round"
        />
      )}
    </svg>
  )
}
