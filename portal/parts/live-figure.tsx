import type { ReactNode } from 'react'
import classes from './live-table.module.css'
import { Sparkline } from './sparkline.tsx'

const SPARK = 40

export interface LiveFigureProps {
  readonly children: ReactNode
  readonly label: string
  readonly values: readonly number[]
  readonly most?: number
}

/** A figure of now, with how it came to be beside it. */
export function LiveFigure({ children, ...line }: LiveFigureProps) {
  return (
    <div className={classes['figure']}>
      <Sparkline {...line} width={SPARK} />
      <span>{children}</span>
    </div>
  )
}
