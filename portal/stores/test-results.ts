/** What tests of stores found. It stays while other tabs and pages are looked at, and is forgotten when the store is changed. */
import type { StoreTestResult, StoreView } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { useSyncExternalStore } from 'react'
import { api } from '../app/client.ts'

type Told = Pick<StoreTestResult, 'ok' | 'server' | 'fault'> & {
  readonly node: string
  /** Undefined where no node was asked. */
  readonly durationMs?: number
}
export type TestState = 'testing' | Told
/** By the node; `ANY` is the one that a query would take. */
type Tests = Readonly<Record<string, TestState>>
type TestedStore = Pick<StoreView, 'id' | 'name' | 'version'>

export const ANY = ''
const NONE: Tests = {}
/** The service gives up before. */
const TEST_MS = 60_000

const listeners = new Set<() => void>()
const byStore = new Map<string, Tests>()

const keyOf = ({ id, version }: TestedStore) => `${id} ${version}`

function put(store: TestedStore, at: string, state: TestState): void {
  byStore.set(keyOf(store), { ...byStore.get(keyOf(store)), [at]: state })
  for (const listener of listeners) listener()
}

async function testAt(store: TestedStore, at: string): Promise<void> {
  put(store, at, 'testing')
  try {
    put(store, at, await api.stores.test(store.name, at === ANY ? {} : { node: at }, AbortSignal.timeout(TEST_MS)))
  } catch (cause) {
    const { code, message, remedy } = Fault.from(cause)
    put(store, at, { ok: false, node: at, fault: { code, message, remedy } })
  }
}

/** At every place at once; settles when all have told. */
export async function testStore(store: TestedStore, places: readonly string[]): Promise<void> {
  await Promise.all(places.map((at) => testAt(store, at)))
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useTests = (store: TestedStore): Tests => useSyncExternalStore(subscribe, () => byStore.get(keyOf(store)) ?? NONE)

/** What went wrong last, if anything did. */
export function faultOfTests(tests: Tests): StoreTestResult['fault'] {
  return Object.values(tests).flatMap((one) => (one === 'testing' || one.ok || !one.fault ? [] : [one.fault]))[0]
}
