import type { QueryView } from '@postern/protocol/api/queries.ts'
import { duration } from './format.ts'

/** Which nodes were considered, chosen and tried, and why: in lines for a person. */
export function queryStory(view: QueryView): string[] {
  return [
    `query ${view.id}: ${view.outcome}, waited ${duration(view.queuedMs)}, took ${duration(view.durationMs)}`,
    ...view.candidates.map(({ node, taken, reason }) => `  ${taken ? 'chosen   ' : 'passed by'}  ${node}: ${reason}`),
    ...view.attempts.map(
      ({ node, outcome, durationMs, fault }) =>
        `  tried      ${node}: ${outcome} after ${duration(durationMs)}${fault ? `, ${fault}` : ''}`,
    ),
  ]
}
