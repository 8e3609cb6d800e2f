# label: benign
# expect:
# note: A toy virtual machine with an instruction SYSCALL and a method syscall of its own.
PUSH, ADD, JZ, SYSCALL, HALT = range(5)


class VM:
    def __init__(self, program):
        self.program, self.pc, self.stack, self.out = program, 0, [], []

    def syscall(self, number):
        if number == 1:
            self.out.append(self.stack.pop())
        elif number == 2:
            self.stack.append(len(self.out))
        else:
            raise ValueError(f"no system call {number}")

    def run(self):
        while True:
            op, arg = self.program[self.pc]
            self.pc += 1
            if op == PUSH:
                self.stack.append(arg)
            elif op == ADD:
                self.stack.append(self.stack.pop() + self.stack.pop())
            elif op == SYSCALL:
                self.syscall(arg)
            elif op == HALT:
                return self.out


print(VM([(PUSH, 2), (PUSH, 40), (ADD, 0), (SYSCALL, 1), (HALT, 0)]).run())
