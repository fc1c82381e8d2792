/** Small pictures beside the words of the navigation: found by shape before they are read. */
const LINES = {
  gateway: 'M2.5 14V8a5.5 5.5 0 0 1 11 0v6M6 14V8.5a2 2 0 0 1 4 0V14',
  store: 'M3 4a5 2 0 0 1 10 0a5 2 0 0 1-10 0v8a5 2 0 0 0 10 0V4M3 8a5 2 0 0 0 10 0',
  query: 'M3 4l4 4-4 4M8.5 12.5H13',
  copy: 'M2.5 5H13M10 2l3 3-3 3M13.5 11H3M6 8l-3 3 3 3',
  run: 'M2 8a6 6 0 0 1 12 0a6 6 0 0 1-12 0M6.75 5.5v5l4-2.5z',
  people: 'M5.5 5a2.5 2.5 0 0 1 5 0a2.5 2.5 0 0 1-5 0M3 14c0-2.8 2.2-4.5 5-4.5s5 1.7 5 4.5',
  audit: 'M3 3h10M3 6.5h10M3 10h4M9 11.5l1.75 1.75L14 10',
} as const

export type PlaceIconName = keyof typeof LINES

export function PlaceIcon({ name }: { readonly name: PlaceIconName }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="16"
      height="16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={LINES[name]} />
    </svg>
  )
}
