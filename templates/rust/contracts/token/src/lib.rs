//! A token that anyone mints, so much a call, up to a cap: the ABI of docs/lane-rules.md without any crate.
#![cfg_attr(target_arch = "wasm32", no_std)]

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    stop(&WHY_PANIC)
}

// What the host offers. A pointer designates the first byte of a buffer whose u32 length lies in the four bytes before.
#[link(wasm_import_module = "env")]
extern "C" {
    fn abort(message: u32, file: u32, line: u32, column: u32);
    fn __request_context() -> u32;
    fn __load_context(out: u32) -> u32;
    fn __request_storage(key: u32) -> u32;
    fn __load_storage(key: u32, out: u32) -> u32;
}

/// A text for `abort`: UTF-16 behind its length in bytes.
#[repr(C)]
struct Why<const N: usize>(u32, [u16; N]);

const fn why<const N: usize>(text: &[u8; N]) -> Why<N> {
    let mut wide = [0u16; N];
    let mut i = 0;
    while i < N {
        wide[i] = text[i] as u16;
        i += 1;
    }
    Why(2 * N as u32, wide)
}

static WHY_OPCODE: Why<14> = why(b"no such opcode");
static WHY_MINTED: Why<13> = why(b"all is minted");
static WHY_TWICE: Why<17> = why(b"it is initialised");
static WHY_NOT: Why<21> = why(b"it is not initialised");
static WHY_SUPPLY: Why<34> = why(b"the supply would be over 128 bits!");
static WHY_FULL: Why<23> = why(b"the buffer is too short");
#[cfg(target_arch = "wasm32")]
static WHY_PANIC: Why<5> = why(b"panic");

fn stop<const N: usize>(text: &Why<N>) -> ! {
    unsafe { abort(text.1.as_ptr() as u32, 0, 0, 0) };
    loop {}
}

/// A buffer: its length, then its bytes.
#[repr(C, align(8))]
struct Buffer<const N: usize> {
    padding: u32,
    length: u32,
    bytes: [u8; N],
}

impl<const N: usize> Buffer<N> {
    const fn new() -> Self {
        Buffer { padding: 0, length: 0, bytes: [0; N] }
    }

    fn at(&self) -> u32 {
        self.bytes.as_ptr() as u32
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.length as usize + bytes.len();
        if end > N {
            stop(&WHY_FULL)
        }
        self.bytes[self.length as usize..end].copy_from_slice(bytes);
        self.length = end as u32;
    }

    fn number(&self, at: usize) -> u128 {
        if at + 16 > self.length as usize {
            return 0;
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.bytes[at..at + 16]);
        u128::from_le_bytes(bytes)
    }
}

const CONTEXT_BYTES: usize = 2048;
const HEAD: usize = 96;
const ASSET: usize = 48;

struct Call {
    context: Buffer<CONTEXT_BYTES>,
    incoming: usize,
}

impl Call {
    fn load() -> Self {
        let mut context = Buffer::new();
        if unsafe { __request_context() } as usize > CONTEXT_BYTES {
            stop(&WHY_FULL)
        }
        context.length = unsafe { __load_context(context.at()) };
        let incoming = context.number(80) as usize;
        Call { context, incoming }
    }

    /// A missing input is 0.
    fn input(&self, index: usize) -> u128 {
        self.context.number(HEAD + self.incoming * ASSET + 16 * index)
    }

    fn assets(&self) -> &[u8] {
        &self.context.bytes[HEAD..HEAD + self.incoming * ASSET]
    }

    fn own_id(&self) -> &[u8] {
        &self.context.bytes[..32]
    }
}

/// The number under a key, if there is one.
fn stored(name: &str) -> Option<u128> {
    let mut key = Buffer::<32>::new();
    key.put(name.as_bytes());
    let mut value = Buffer::<16>::new();
    if unsafe { __request_storage(key.at()) } != 16 {
        return None;
    }
    unsafe { __load_storage(key.at(), value.at()) };
    value.length = 16;
    Some(value.number(0))
}

const RESPONSE_BYTES: usize = 4096;
static mut RESPONSE: Buffer<RESPONSE_BYTES> = Buffer::new();

/// Answers: own amount to mint, entries of the storage, data. What came in goes on to the pointer.
fn answer(call: &Call, mint: Option<u128>, entries: &[(&str, u128)], data: &[u8]) -> u32 {
    let out = unsafe { &mut *core::ptr::addr_of_mut!(RESPONSE) };
    out.put(&(call.incoming as u128 + mint.is_some() as u128).to_le_bytes());
    if let Some(amount) = mint {
        out.put(call.own_id());
        out.put(&amount.to_le_bytes());
    }
    out.put(call.assets());
    out.put(&(entries.len() as u32).to_le_bytes());
    for (name, value) in entries {
        out.put(&(name.len() as u32).to_le_bytes());
        out.put(name.as_bytes());
        out.put(&16u32.to_le_bytes());
        out.put(&value.to_le_bytes());
    }
    out.put(data);
    out.at()
}

#[no_mangle]
pub extern "C" fn __execute() -> u32 {
    let call = Call::load();
    match call.input(0) {
        0 => {
            if stored("cap").is_some() {
                stop(&WHY_TWICE)
            }
            let (cap, each) = (call.input(1), call.input(2));
            if cap.checked_mul(each).is_none() {
                stop(&WHY_SUPPLY)
            }
            answer(&call, None, &[("cap", cap), ("each", each)], &[])
        }
        77 => {
            let (cap, each) = match (stored("cap"), stored("each")) {
                (Some(cap), Some(each)) => (cap, each),
                _ => stop(&WHY_NOT),
            };
            let minted = stored("minted").unwrap_or(0);
            if minted >= cap {
                stop(&WHY_MINTED)
            }
            let mut event = [0; 21];
            event[0] = 4;
            event[1..5].copy_from_slice(b"mint");
            event[5..].copy_from_slice(&(minted + 1).to_le_bytes());
            answer(&call, Some(each), &[("minted", minted + 1)], &event)
        }
        99 => answer(&call, None, &[], b"token"),
        101 => {
            let supply = stored("minted").unwrap_or(0) * stored("each").unwrap_or(0);
            answer(&call, None, &[], &supply.to_le_bytes())
        }
        _ => stop(&WHY_OPCODE),
    }
}
