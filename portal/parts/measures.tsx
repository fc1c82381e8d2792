import type { ReactNode } from 'react'
import { bytes, count, percent, rate } from './figures.ts'
import { LiveFigure } from './live-figure.tsx'
import type { LiveColumn } from './live-table.tsx'
import type { Measured, RecentFigures } from './recent-figures.ts'

/** The columns of what is measured, in their order: of nodes and of gateways. */
export const MEASURES = [
  { name: 'memory', title: 'Memory free', width: 118, right: true },
  { name: 'cpu', title: 'CPU', width: 108, right: true },
  { name: 'network', title: 'Network', width: 154, right: true },
  { name: 'jobs', title: 'Copy tasks', width: 118, right: true },
  { name: 'queries', title: 'Queries', width: 118, right: true },
] as const satisfies readonly LiveColumn[]

export type MeasureName = (typeof MEASURES)[number]['name']

/** Each figure with its line. `jobs`: in place of "2 of 4", where it can be changed. */
export function measuresOf(of: Measured, recent: RecentFigures, jobs?: ReactNode): Readonly<Record<MeasureName, ReactNode>> {
  const { name, live } = of
  return {
    cpu: (
      <LiveFigure label={`CPU of ${name}`} values={recent.cpu} most={100} room={5}>
        {live ? percent(of.cpuPercent) : '–'}
      </LiveFigure>
    ),
    memory: (
      <LiveFigure label={`Available memory of ${name}`} values={recent.memory} most={of.totalMemoryBytes} room={7}>
        {live ? bytes(of.availableMemoryBytes) : '–'}
      </LiveFigure>
    ),
    network: (
      <LiveFigure label={`Network of ${name}`} values={recent.network} room={10.5}>
        {live ? <InOut of={of} /> : '–'}
      </LiveFigure>
    ),
    jobs: (
      <LiveFigure label={`Copy tasks on ${name}`} values={recent.jobs} most={of.jobLimit} room={5}>
        {jobs ?? share(of.runningJobs, of.jobLimit)}
      </LiveFigure>
    ),
    queries: (
      <LiveFigure label={`Queries on ${name}`} values={recent.queries} most={of.queryLimit} room={7}>
        {live ? share(of.runningQueries, of.queryLimit) : '–'}
      </LiveFigure>
    ),
  }
}

export const share = (running: number, limit: number): string => `${count(running)} of ${count(limit)}`

function InOut({ of }: { readonly of: Measured }) {
  return (
    <>
      {rate(of.networkInBytesPerSecond)} in
      <br />
      {rate(of.networkOutBytesPerSecond)} out
    </>
  )
}
