import { Button, type ButtonProps, Tooltip, VisuallyHidden } from '@mantine/core'
import type { ReactNode } from 'react'

interface ReasonedButtonProps extends Omit<ButtonProps, 'disabled'> {
  /** Why it cannot be done: shown in place of doing it. */
  readonly because?: string | undefined
  readonly onClick?: () => void
  readonly type?: 'button' | 'submit'
  readonly children: ReactNode
}

/** What may not be done is shown with the reason, and can be reached by keyboard so that the reason can be read. */
export function ReasonedButton({ because, onClick, type = 'button', children, ...props }: ReasonedButtonProps) {
  if (because === undefined)
    return (
      <Button {...props} type={type} onClick={onClick}>
        {children}
      </Button>
    )
  return (
    <Tooltip label={because}>
      <Button {...props} type="button" data-disabled aria-disabled onClick={(event) => event.preventDefault()}>
        {children}
        <VisuallyHidden>. {because}</VisuallyHidden>
      </Button>
    </Tooltip>
  )
}
