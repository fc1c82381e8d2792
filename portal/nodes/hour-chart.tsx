import { type PointerEvent, useState } from 'react'
import classes from './hour-chart.module.css'
import { CHART, linesOf, sampleAt, spoken } from './hour-lines.ts'

export interface HourSeries {
  readonly name: string
  /** As many as there are times; null: there was none. */
  readonly figures: readonly (number | null)[]
}

export interface HourChartProps {
  readonly title: string
  /** Unix milliseconds, oldest first. */
  readonly at: readonly number[]
  /** One or two: the second is dashed. */
  readonly series: readonly HourSeries[]
  readonly top: number
  readonly say: (value: number) => string
}

const DASHES = ['none', '4 3'] as const

/** The last hour of one figure. Under the pointer it tells what was then; without one, what is now. */
export function HourChart({ title, at, series, top, say }: HourChartProps) {
  const [pointed, setPointed] = useState<number>()
  const until = at.at(-1) ?? 0
  const index = (pointed === undefined ? undefined : sampleAt(at, pointed, until)) ?? at.length - 1
  const point = ({ currentTarget, clientX }: PointerEvent<Element>) => {
    const { left, width } = currentTarget.getBoundingClientRect()
    setPointed(Math.min(1, Math.max(0, (clientX - left) / width)))
  }
  const time = at[index]
  const label = series.map(({ name, figures }) => `${name} ${spoken(figures, say)}`).join('; ')
  return (
    <figure className={classes['chart']}>
      <figcaption className={classes['caption']}>
        <span className={classes['title']}>{title}</span>
        <span className={classes['figures']}>
          {pointed !== undefined && time !== undefined && <span>{new Date(time).toLocaleTimeString()}</span>}
          {series.map(({ name, figures }, place) => (
            <span key={name}>
              {series.length > 1 && <Legend name={name} dash={DASHES[place] ?? 'none'} />}
              {sayAt(figures[index], say)}
            </span>
          ))}
        </span>
      </figcaption>
      <div className={classes['picture']} onPointerMove={point} onPointerLeave={() => setPointed(undefined)}>
        <svg viewBox={`0 0 ${CHART.width} ${CHART.height}`} preserveAspectRatio="none" role="img" aria-label={`${title}: ${label}`}>
          {series.map(({ name, figures }, place) =>
            linesOf(at, figures, top, until).map((points) => (
              <polyline
                key={`${name} ${points.slice(0, 16)}`}
                points={points}
                fill="none"
                stroke="var(--line-color)"
                strokeWidth="1.5"
                strokeDasharray={DASHES[place] ?? 'none'}
              />
            )),
          )}
          {pointed !== undefined && (
            <line
              className={classes['pointer']}
              x1={pointed * CHART.width}
              x2={pointed * CHART.width}
              y1={0}
              y2={CHART.height}
              stroke="var(--mantine-color-dimmed)"
            />
          )}
        </svg>
        <span className={classes['top']}>{say(top)}</span>
      </div>
      <div className={classes['scale']} aria-hidden="true">
        <span>an hour ago</span>
        <span>30 min</span>
        <span>now</span>
      </div>
    </figure>
  )
}

const sayAt = (figure: number | null | undefined, say: HourChartProps['say']) =>
  figure === null || figure === undefined ? '–' : say(figure)

function Legend({ name, dash }: { readonly name: string; readonly dash: string }) {
  return (
    <>
      <svg width="16" height="8" viewBox="0 0 16 8" aria-hidden="true">
        <line x1="0" x2="16" y1="4" y2="4" stroke="var(--line-color)" strokeWidth="1.5" strokeDasharray={dash} />
      </svg>{' '}
      {name}{' '}
    </>
  )
}
