/* scratch_buffer.h - glibc's internal buffer that grows, as far as its tests use it. */
#include <stdbool.h>
#include <stdlib.h>

struct scratch_buffer {
	void *data;
	size_t length;
};

static inline void scratch_buffer_init(struct scratch_buffer *buffer)
{
	buffer->length = 1024;
	buffer->data = malloc(buffer->length);
}

static inline void scratch_buffer_free(struct scratch_buffer *buffer)
{
	free(buffer->data);
}

static inline bool scratch_buffer_grow(struct scratch_buffer *buffer)
{
	free(buffer->data);
	buffer->length *= 2;
	buffer->data = malloc(buffer->length);
	return buffer->data != NULL;
}
