#include "workloads/families/vlm.h"

#include "workloads/families/bert.h"
#include "workloads/families/connector.h"
#include "workloads/families/decoder.h"
#include "workloads/families/stage.h"
#include "workloads/families/vit.h"

namespace tessera::workloads {
namespace {

PhaseRequest part_request(const PhaseRequest& request, const std::string& name,
                          const ModelDescriptor& model) {
  PhaseRequest part = request;
  part.phase = name_in_front(request) + name;
  part.model = model;
  part.model.title = request.model.title;
  part.not_before_s = 0;
  return part;
}

}  // namespace

std::string name_in_front(const PhaseRequest& request) {
  return request.phase.empty() ? "" : request.phase + "_";
}

void append_dual_encoder(Graph& graph, const PhaseRequest& request) {
  PhaseRequest vision = part_request(request, "vision", *request.model.vision);
  vision.tokens = 0;
  vision.not_before_s = request.not_before_s;
  const PhaseRequest text = part_request(request, "text_encode", *request.model.text);
  append_stage(graph, vision, "image", "", [&] { append_vit(graph, vision); });
  append_stage(graph, text, "request", counted(text.tokens, "token"),
               [&] { append_bert(graph, text); });
}

void append_vlm(Graph& graph, const PhaseRequest& request) {
  const ModelDescriptor& model = request.model;
  const std::int64_t per_image = visual_tokens(*model.vision, model.connector);
  PhaseRequest prefill = part_request(request, "prefill", *model.text);
  prefill.tokens = request.images * per_image + request.tokens;
  PhaseBuilder phase(graph, prefill, prefill.tokens);
  const Matrix stream = phase.add_activation("Tokens", phase.rows(), model.text->hidden_size);
  Stretch image = part_of(all_of(phase, stream), 0, per_image);
  image.repeat_rows = request.images > 1 ? per_image : 0;
  append_image_phases(graph, request, {name_in_front(request), request.images, image});
  append_stage(graph, prefill, "prompt", counted(prefill.tokens, "token"), [&] {
    const Stretch text = part_of(all_of(phase, stream), request.images * per_image, request.tokens);
    append_token_embedding(phase, add_token_table(phase), request.tokens, vector_view(phase, text));
    append_decoder_layers(phase, model.text->embed_scale ? embed_scale(phase, stream) : stream);
  });
}

}  // namespace tessera::workloads
