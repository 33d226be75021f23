import { useRef, type RefObject } from 'react';

const NEAR_THE_END = 30;
/** A scroll this many milliseconds after a person's move is that person's. */
const MOVE = 500;

/**
 * Whether somebody looks at the end of a list that grows. Only a person's own move leaves the end: growing, shrinking
 * and measuring scroll too.
 */
export function useStickyEnd(scroller: RefObject<HTMLElement | null>, initially: boolean) {
  const atEnd = useRef(initially);
  const movedAt = useRef(-Infinity);
  const pressed = useRef(false);
  const moved = () => (movedAt.current = performance.now());
  const press = (down: boolean) => () => {
    pressed.current = down;
    moved();
  };
  const onScroll = () => {
    const box = scroller.current;
    if (!box) return;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_THE_END) atEnd.current = true;
    else if (pressed.current || performance.now() - movedAt.current < MOVE) atEnd.current = false;
  };
  return {
    atEnd,
    on: { onScroll, onWheel: moved, onTouchMove: moved, onKeyDown: moved, onPointerDown: press(true), onPointerUp: press(false), onPointerLeave: press(false) },
  };
}
