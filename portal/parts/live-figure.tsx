import type { ReactNode } from 'react'
import classes from './live-table.module.css'
import { Sparkline } from './sparkline.tsx'

const SPARK = 40

export interface LiveFigureProps {
  readonly children: ReactNode
  readonly label: string
  readonly values: readonly (number | null)[]
  readonly most?: number
  /** Room for so many digits: so the lines of a column stand below one another. */
  readonly room: number
}

/** A figure of now, with how it came to be beside it. */
export function LiveFigure({ children, room, ...line }: LiveFigureProps) {
  return (
    <div className={classes['figure']}>
      <Sparkline {...line} width={SPARK} />
      <span style={{ minWidth: `${room}ch` }}>{children}</span>
    </div>
  )
}
