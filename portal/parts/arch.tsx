/** The mark: the small gate. */
export function Arch({ size = 22 }: { readonly size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <path fill="var(--mantine-primary-color-filled)" d="M4 29V15a12 12 0 0 1 24 0v14h-7V16a5 5 0 0 0-10 0v13z" />
    </svg>
  )
}
