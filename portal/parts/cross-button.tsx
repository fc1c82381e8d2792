import { ActionIcon, Tooltip } from '@mantine/core'

interface CrossButtonProps {
  /** What it takes away, in full: it is all that a screen reader says. */
  readonly label: string
  readonly hint?: string
  /** Why it cannot be done. */
  readonly because?: string | undefined
  readonly onClick: () => void
}

/** Takes one row away, or begins to. */
export function CrossButton({ label, hint = label, because, onClick }: CrossButtonProps) {
  const barred = because === undefined ? {} : { 'data-disabled': true, 'aria-disabled': true }
  return (
    <Tooltip label={because ?? hint}>
      <ActionIcon
        {...barred}
        variant="subtle"
        color="gray"
        size="md"
        aria-label={because === undefined ? label : `${label}. ${because}`}
        onClick={() => because === undefined && onClick()}
      >
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" stroke="currentColor" strokeWidth="1.75">
          <path d="M3 3l10 10M13 3L3 13" />
        </svg>
      </ActionIcon>
    </Tooltip>
  )
}
