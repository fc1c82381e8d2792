import type { Event } from '@postern/protocol/api/events.ts'

/** Longer than any event: a peer that sends no line end is not buffered without bound. */
const EVENT_CHARACTERS = 1 << 20

/** Server-Sent Events as they arrive. Comments and event types that this version does not know are passed over by the caller. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<Event, void> {
  const decoder = new TextDecoder()
  let buffered = ''
  for await (const bytes of body) {
    buffered += decoder.decode(bytes, { stream: true }).replaceAll('\r\n', '\n')
    for (let end = buffered.indexOf('\n\n'); end >= 0; end = buffered.indexOf('\n\n')) {
      const event = parseEvent(buffered.slice(0, end))
      buffered = buffered.slice(end + 2)
      if (event) yield event
    }
    if (buffered.length > EVENT_CHARACTERS) throw new Error('An event is longer than allowed.')
  }
}

function parseEvent(block: string): Event | undefined {
  const data = block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).replace(/^ /, ''))
    .join('\n')
  if (data === '') return undefined
  const value: unknown = JSON.parse(data)
  return typeof value === 'object' && value !== null && 'type' in value ? (value as Event) : undefined
}
