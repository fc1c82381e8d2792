import type { Event } from '@postern/protocol/api/events.ts'

export type EventListener = (event: Event) => void

/** What happens in this replica, told to whoever listens now. Nothing is kept: who connects later reads the lists. */
export class EventBus {
  readonly #listeners = new Set<EventListener>()

  /** Ask before making an event that costs something. */
  get heard(): boolean {
    return this.#listeners.size > 0
  }

  publish(event: Event): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** Returns how to stop listening. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
