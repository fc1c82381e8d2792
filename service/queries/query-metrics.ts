import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { QueryLog } from './query-log.ts'
import type { QueryRecord } from './query-record.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Figures of queries for Prometheus. Labels are gateways and outcomes only: there are few, and nobody can make more by asking. */
export class QueryMetrics {
  readonly #queries: Counter<'gateway' | 'outcome'>
  readonly #duration: Histogram<'gateway'>
  readonly #queued: Histogram<'gateway'>

  constructor(registry: Registry, log: QueryLog) {
    const registers = [registry]
    this.#queries = new Counter({
      name: 'postern_queries_total',
      help: 'Queries that ended, by gateway and outcome',
      labelNames: ['gateway', 'outcome'],
      registers,
    })
    const histogram = (name: string, help: string) => new Histogram({ name, help, labelNames: ['gateway'], buckets: SECONDS, registers })
    this.#duration = histogram('postern_query_duration_seconds', 'From the arrival of a query to its last byte')
    this.#queued = histogram('postern_query_queue_seconds', 'How long a query waited for a node')
    new Gauge({
      name: 'postern_queries_running',
      help: 'Queries that run through this replica, by gateway',
      labelNames: ['gateway'],
      registers,
      collect() {
        this.reset()
        for (const { gateway } of log.running()) this.inc({ gateway })
      },
    })
    new Counter({
      name: 'postern_query_log_dropped_total',
      help: 'Ended queries that are in no log, because the database was away for too long',
      registers,
      collect() {
        this.reset()
        this.inc(log.dropped)
      },
    })
  }

  ended({ gateway, outcome, durationMs, queuedMs }: QueryRecord): void {
    this.#queries.inc({ gateway, outcome })
    this.#duration.observe({ gateway }, (durationMs ?? 0) / 1_000)
    this.#queued.observe({ gateway }, queuedMs / 1_000)
  }
}
