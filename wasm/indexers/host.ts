// The functions that a Metashrew host offers a module. Pointers designate the first data byte; the four bytes before it
// hold the length.

@external('env', '__host_len')
export declare function hostLength(): u32;
@external('env', '__load_input')
export declare function loadInput(out: usize): void;
@external('env', '__get_len')
export declare function getLength(key: usize): u32;
@external('env', '__get')
export declare function getInto(key: usize, out: usize): void;
@external('env', '__flush')
export declare function hostFlush(list: usize): void;
