fn main() {
    let library = unsafe { libloading::Library::new(std::env::args().nth(1).unwrap()) };
    drop(library);
}
